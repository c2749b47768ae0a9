"""The contract of all engines, for the engine ``ansible``."""

from contract_support import Contract


class TestAnsible(Contract):
    """All its cases."""

    engine = "ansible"
