"""The contract of all engines, for the engine ``docker``."""

from contract_support import Contract


class TestDocker(Contract):
    """All its cases."""

    engine = "docker"
