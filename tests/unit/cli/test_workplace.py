import json
import os
import subprocess
import sys
import threading

import psutil
import pytest

from gorchestrator.cli import workplace
from gorchestrator.cli.failure import Failure
from gorchestrator.cli.workplace import Workplace


@pytest.fixture
def place(tmp_path):
    found = Workplace(tmp_path / "demo")
    found.open()
    yield found
    found.close()


def test_one_demo_at_a_time(place):
    with pytest.raises(Failure, match=r"another demo runs on .*; stop it, or give this one another --data"):
        Workplace(place.root).open()


def test_certificates_are_made_once_and_anew_when_they_do_not_fit(place):
    assert place.make_certificates()
    assert not place.make_certificates()
    (place.certs / "executor.pem").write_text("nonsense")
    assert place.make_certificates()


def test_the_last_log_is_kept(place):
    place.new_log("executor").write_text("old")
    path = place.new_log("executor")
    assert path.read_text() == ""
    assert path.stat().st_mode & 0o777 == 0o600
    assert (place.logs / "executor.log.1").read_text() == "old"


def test_servers_of_a_killed_demo_are_waited_for(place):
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    place.remember([process.pid, 2**22 + 1])
    timer = threading.Timer(0.2, process.communicate)
    timer.start()
    place.close()
    place.open()
    timer.join()
    assert process.returncode == 0


def test_servers_that_do_not_end_are_named(place, monkeypatch):
    monkeypatch.setattr(workplace, "LEFTOVER_TIMEOUT", 0.1)
    place.remember([os.getpid()])
    place.close()
    note = place.root / "servers.json"
    ((pid, started),) = json.loads(note.read_text())
    note.write_text(json.dumps([[pid, started], [pid, started + "0"]]))  # the second one is another process's now
    with pytest.raises(Failure, match=rf"end these processes: {os.getpid()}$"):
        place.open()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[["a", "b"]]'])
def test_a_torn_note_counts_as_none(place, text):
    place.close()
    for note in ("servers", "examples"):
        (place.root / f"{note}.json").write_text(text)
    place.open()
    assert place.posted() == {}


def test_servers_are_known_again_after_the_clock_was_set(place, monkeypatch):
    """The time of day at which a process started is reckoned from the clock, by psutil too."""
    monkeypatch.setattr(workplace, "LEFTOVER_TIMEOUT", 0.1)
    place.remember([os.getpid()])
    place.close()
    create_time = psutil.Process.create_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: create_time(self) + 3600)
    with pytest.raises(Failure, match=rf"end these processes: {os.getpid()}$"):
        place.open()


def test_what_it_has_posted_is_known_to_the_next_demo(place):
    place.remember_posted({"1": "a.json", "2": "b.json"})
    assert Workplace(place.root).posted() == {"1": "a.json", "2": "b.json"}


def test_a_directory_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match="--data"):
        Workplace(tmp_path / "file" / "demo").open()
