"""The contract of all engines, for the engine ``toscassh``."""

from contract_support import Contract


class TestToscassh(Contract):
    """All its cases."""

    engine = "toscassh"
