"""What tests of the documents share: services that do not measure their coverage: other tests cover what they run."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def _unmeasured_services(unmeasured: None) -> None:
    """Halve what the start of each process costs."""
