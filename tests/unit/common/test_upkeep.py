"""What goes on beside requests takes new contexts into use, and goes on after a fault."""

import gevent
import pytest

from gorchestrator.common import upkeep
from gorchestrator.common.upkeep import Upkeep


class Scripted:
    """Credentials that give what they are told to, one look after the other."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def look(self):
        found = self.answers.pop(0) if self.answers else None
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def quick(monkeypatch):
    for name in ("LOOK", "_AGAIN"):
        monkeypatch.setattr(upkeep, name, 0.001)
    started = []
    spawn = gevent.spawn_later
    monkeypatch.setattr(upkeep.gevent, "spawn_later", lambda *args: started.append(spawn(*args)) or started[-1])
    yield
    gevent.killall(started)


def test_a_fault_is_told_and_new_contexts_are_used_before_and_after_it(quick, caplog, monkeypatch):
    monkeypatch.setattr(gevent.get_hub(), "print_exception", lambda *_: None)
    used = []
    Upkeep(Scripted("one", None, ValueError("x"), "two"), used.append).start(0)
    with gevent.Timeout(30):
        while used != ["one", "two"]:
            gevent.sleep(0.001)
    (line,) = [record for record in caplog.records if record.name == upkeep.__name__]
    assert line.event == "certificates_fault"
    assert line.exc_info
