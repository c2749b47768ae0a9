"""Fixtures for the tests of what a topology means."""

from pathlib import Path

import pytest

from topology_support import Templates


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    """Return a folder for templates."""
    return Templates(tmp_path)
