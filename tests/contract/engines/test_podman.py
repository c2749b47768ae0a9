"""The contract of all engines, for the engine ``docker`` over Podman."""

from contract_support import Contract


class TestPodman(Contract):
    """All its cases."""

    engine = "podman"
