"""Points at which a test has a process killed: which one is meant, and that it costs nothing otherwise."""

import os
import signal
from types import SimpleNamespace

import pytest

from gorchestrator.common import faultpoints

ACCEPT, OTHER = SimpleNamespace(kind="accept"), SimpleNamespace(kind="other")


@pytest.fixture
def file(tmp_path, monkeypatch):
    """The file in which a point is named; who dies in this process is only noted in it."""
    found = tmp_path / "fault-point"
    monkeypatch.setattr(faultpoints, "_file", str(found))
    faultpoints._reached.clear()
    monkeypatch.setattr(os, "kill", lambda pid, number: (tmp_path / "dead").write_text(f"{pid} {int(number)}"))
    return found


def dies(file, point, *having):
    """Return whether a process dies at the point, and forget it."""
    faultpoints.reached(point, having)
    dead = file.with_name("dead")
    if not dead.exists():
        return False
    assert dead.read_text() == f"{os.getpid()} {int(signal.SIGKILL)}"
    dead.unlink()
    return True


def test_it_dies_once_at_the_point_that_is_named(file):
    assert not dies(file, "before-commit")
    file.write_text("before-commit")
    assert not dies(file, "after-commit")
    assert dies(file, "before-commit", OTHER)
    assert not file.exists()
    assert not dies(file, "before-commit", OTHER)


def test_it_dies_where_a_batch_holds_what_is_named(file):
    file.write_text("before-commit/accept")
    assert not dies(file, "before-commit")
    assert not dies(file, "before-commit", OTHER)
    assert not dies(file, "after-commit", ACCEPT)
    assert dies(file, "before-commit", OTHER, ACCEPT)


def test_it_dies_at_the_nth_time_that_is_meant(file):
    file.write_text("before-commit/accept:2\n")
    assert [dies(file, "before-commit", each) for each in (ACCEPT, OTHER, OTHER, ACCEPT)] == [False] * 3 + [True]


def test_without_the_variable_nothing_is_looked_at(monkeypatch):
    monkeypatch.setattr(faultpoints, "_file", None)
    monkeypatch.setattr(faultpoints, "_look", lambda *_: pytest.fail("it was looked at"))
    faultpoints.reached("before-commit", iter(lambda: pytest.fail("a batch was gone through"), None))
