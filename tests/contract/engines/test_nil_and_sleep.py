"""The contract of all engines, for the engines ``nil`` and ``sleep``, as far as there is anything to break."""

from contract_support import Contract

PRINTS = "it prints nothing"
NO_PROCESS = "it has no process"
OF_PROGRAMS = {
    "test_a_failure_has_the_exit_code_and_the_last_lines": "it does not fail",
    "test_outputs": PRINTS,
    "test_an_output_that_is_too_large": PRINTS,
    "test_arguments_and_variables_arrive_as_they_are": PRINTS,
    "test_it_goes_on_while_the_executor_is_away": "there is no gate for it; tests/integration has a test of its own",
    "test_what_success_left_running_lives_on": NO_PROCESS,
    "test_a_long_log_is_kept_with_its_start_and_its_end": PRINTS,
}


class TestSleep(Contract):
    """What remains for a pause."""

    engine = "sleep"
    cannot = OF_PROGRAMS


class TestNil(Contract):
    """What remains for nothing."""

    engine = "nil"
    cannot = OF_PROGRAMS | {
        "test_a_timeout_kills_everything": "it has ended at once",
        "test_a_cancel_kills_everything_and_proves_it": "it has ended at once",
        "test_a_cancel_reaches_what_was_begun_before_a_restart": "it has ended at once",
        "test_an_artifact_that_is_not_there": "it looks at none",
    }
