"""The contract of all engines, for the engine ``http``."""

from contract_support import Contract

CANNOT = {
    "test_it_goes_on_while_the_executor_is_away": "who has posted is gone: the node is lost, and is not sent again",
    "test_a_cancel_reaches_what_was_begun_before_a_restart": "so it has ended before the cancel",
    "test_a_long_log_is_kept_with_its_start_and_its_end": "of an answer only the begin is read",
}


class TestHttp(Contract):
    """Its cases as far as a request can have them; ``tests/integration/http`` has what is in their place."""

    engine = "http"
    cannot = CANNOT
