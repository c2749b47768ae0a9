"""The contract of all engines, for the engine ``shell``."""

from contract_support import Contract


class TestShell(Contract):
    """All its cases."""

    engine = "shell"
