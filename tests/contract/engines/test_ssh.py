"""The contract of all engines, for the engine ``ssh``."""

from contract_support import Contract


class TestSsh(Contract):
    """All its cases."""

    engine = "ssh"
