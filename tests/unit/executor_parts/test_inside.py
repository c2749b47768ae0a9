"""Interruptions of work inside of the executor arrive once, where they can be borne, and nowhere else."""

import threading
from pathlib import Path

import gevent
import pytest
from gevent.event import Event

from executor import inside as place
from executor.folder import Folder
from executor.inside import CANCEL, TIMEOUT, Inside, Interrupted


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    made = Inside(Folder.create(str(tmp_path / "job"), {}), None, lambda: None)
    assert made.begin()
    return made


def result(work: "gevent.Greenlet[..., str]") -> str:
    with gevent.Timeout(10):
        return str(work.get())


def test_others_are_answered_while_a_claim_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = threading.Event()
    in_time: list[bool] = []
    monkeypatch.setattr(place, "sync", lambda folder: in_time.append(written.wait(10)))
    claiming = gevent.spawn(Inside(Folder.create(str(tmp_path / "job"), {}), None, lambda: None).begin)
    gevent.sleep(0)
    written.set()
    with gevent.Timeout(10):
        assert claiming.get()
    assert in_time == [True]


def test_it_strikes_in_what_can_bear_it(inside: Inside) -> None:
    def work() -> str:
        try:
            with inside.interruptible():
                Event().wait()
        except Interrupted as stop:
            return stop.cause
        return "not interrupted"

    greenlet = gevent.spawn(work)
    gevent.sleep(0)
    inside.interrupt(CANCEL)
    inside.interrupt(TIMEOUT)
    assert result(greenlet) == CANCEL


def test_what_was_asked_for_before_strikes_at_once(inside: Inside) -> None:
    inside.interrupt(CANCEL)
    with pytest.raises(Interrupted), inside.interruptible():
        raise AssertionError("it was let in")


def test_a_fault_at_the_same_moment_does_not_put_it_off(inside: Inside) -> None:
    """Else it would strike again in what ends the work."""
    broken = Event()

    def work() -> str:
        try:
            with inside.interruptible():
                broken.wait()
                raise ConnectionError
        except Interrupted:
            gevent.sleep(0.05)  # the killing, which must not be interrupted
            return "killed"
        except ConnectionError:
            return "not interrupted"

    greenlet = gevent.spawn(work)
    gevent.sleep(0)
    broken.set()
    inside.interrupt(CANCEL)
    assert result(greenlet) == "killed"


def test_work_that_ends_at_the_same_moment_is_interrupted(inside: Inside) -> None:
    done = Event()

    def work() -> str:
        try:
            with inside.interruptible():
                done.wait()
        except Interrupted:
            return "interrupted"
        gevent.sleep(0.05)
        return "done"

    greenlet = gevent.spawn(work)
    gevent.sleep(0)
    done.set()
    inside.interrupt(CANCEL)
    assert result(greenlet) == "interrupted"
