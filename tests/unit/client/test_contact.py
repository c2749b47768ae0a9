"""One greenlet knows for all whether an executor can be reached, and what it says of itself."""

from types import SimpleNamespace

import gevent
import pytest

from client_support import AWAY, ScriptedApi, info, until
from gorchestrator.client import contact as module
from gorchestrator.client.contact import Contact
from gorchestrator.client.faults import Unreachable
from gorchestrator.common.reasons import ReasonCode
from support import PATIENCE


@pytest.fixture
def contact_with(monkeypatch):
    """Return what makes a contact whose pings are answered by what it is given, and what it told."""
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "_LAST_PAUSE", 0.002)
    made = []

    def make(*answers):
        api, told = ScriptedApi(ping=list(answers)), []
        contact = Contact(api, told.append)
        made.append(contact)
        contact.start()
        return api, contact, told

    yield make
    for contact in made:
        contact.stop()
    gevent.sleep(0)


def test_those_who_wait_go_on_when_it_is_there(contact_with):
    api, contact, told = contact_with(AWAY, AWAY, AWAY, info())
    assert not contact.wait(0)
    assert contact.wait(PATIENCE)
    assert told == [info()]
    assert contact.info == info()
    assert contact.fault is None
    assert api.count("ping") == 4


def test_while_it_is_away_it_says_why_and_since_when(contact_with):
    _, contact, told = contact_with(AWAY)
    until(lambda: contact.fault is not None)
    assert contact.fault is AWAY
    assert contact.since.startswith("20")
    assert contact.since.endswith("Z")
    assert len(contact.since) == len("2026-11-01T12:00:00Z")
    assert told == []
    assert contact.info is None


def test_a_call_in_vain_makes_it_look_at_once(contact_with, monkeypatch):
    monkeypatch.setattr(module, "_REFRESH", 3600)
    api, contact, told = contact_with(info(), info(capacity=2))
    assert contact.wait(PATIENCE)
    contact.lost(AWAY)
    assert contact.wait(PATIENCE)  # and not only after the hour between two looks
    assert [found.capacity for found in told] == [16, 2]
    assert contact.info == info(capacity=2)
    assert api.count("ping") == 2


def test_what_it_says_of_itself_is_asked_again_and_again(contact_with, monkeypatch):
    monkeypatch.setattr(module, "_REFRESH", 0.001)
    _, contact, told = contact_with(info(), info(capacity=1), info(capacity=1))
    until(lambda: len(told) > 3)
    assert contact.info == info(capacity=1)


def test_that_it_is_lost_is_found_out_without_a_call_by_others(contact_with, monkeypatch):
    monkeypatch.setattr(module, "_REFRESH", 0.001)
    _, contact, _ = contact_with(info(), AWAY)
    until(lambda: contact.fault is AWAY)
    assert not contact.wait(0)


def test_a_fault_of_ours_is_told_and_the_search_goes_on(contact_with, caplog):
    _, contact, _ = contact_with(ZeroDivisionError("of ours"), info())
    until(lambda: contact.fault is not None)
    assert contact.fault.code is ReasonCode.INTERNAL
    assert "of ours" in contact.fault.reason
    assert contact.wait(PATIENCE)
    assert any(record.event == "fault" and record.exc_info for record in caplog.records)


def test_losses_and_finds_are_logged_once_each(contact_with, caplog):
    caplog.set_level("INFO")
    _, contact, _ = contact_with(info(), AWAY, AWAY, AWAY, info())
    assert contact.wait(PATIENCE)
    for _ in range(3):
        contact.lost(Unreachable(ReasonCode.EXECUTOR_UNREACHABLE, "refused"))
    assert contact.wait(PATIENCE)
    assert [record.event for record in caplog.records] == ["executor_found", "executor_lost", "executor_found"]


def test_it_knows_since_when_it_is_there_and_since_when_it_is_away(contact_with, monkeypatch):
    times = iter([1.0, 2.0, 3.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: next(times)))
    _, contact, _ = contact_with(AWAY)
    assert contact.since_at == 1
    contact.found(info())
    contact.found(info())
    assert contact.since_at == 2
    contact.lost(AWAY)
    contact.lost(AWAY)
    assert contact.since_at == 3
