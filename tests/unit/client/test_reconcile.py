"""What is final in the store gets its receipt or is killed, and nothing else is touched."""

import pytest

from client_support import AWAY, ScriptedApi, info, job, until
from gorchestrator.client import contact, reconcile
from gorchestrator.client import executor as module
from gorchestrator.client.executor import RemoteExecutor
from gorchestrator.client.reconcile import Reconciler
from gorchestrator.common import wire
from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreUnavailable


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "_RECEIPTS_PAUSE", 0.001)
    monkeypatch.setattr(reconcile, "_EVERY", 0.01)
    monkeypatch.setattr(reconcile, "_LOOK", 0.01)
    monkeypatch.setattr(wire, "LIST_LIMIT", 2)


@pytest.fixture
def reconciled():
    """Return what starts a reconciler for an executor that answers so."""
    made = []

    def begin(stored, **answers):
        answers = {"ping": [info()], "acknowledge": [None], "final": [[]], "open": [[]], **answers}
        executor = RemoteExecutor(ScriptedApi(**answers), lost_after=0.0, log_limit=1000)
        executor.contact.start()
        reconciler = Reconciler([executor], stored)
        reconciler.start()
        made.append((reconciler, executor))
        return executor.api

    yield begin
    for reconciler, executor in made:
        reconciler.stop()
        executor.stop()


def receipts(api):
    return [attempt for call in api.calls if call[0] == "acknowledge" for attempt in call[1]]


def final(*wanted):
    """Return what says which attempts are final in the store, all of runs with the fence 7."""
    return lambda ids: {name: 7 for name in ids if name in wanted}


def test_what_is_stored_is_acknowledged_and_nothing_else(reconciled):
    answers = [["a", "b"], ["c"], []]
    api = reconciled(final("a", "c"), ping=[AWAY, info()], final=answers)
    until(lambda: receipts(api) == ["a", "c"])
    until(lambda: api.count("final") > 2)
    assert [after for name, after in (call for call in api.calls if call[0] == "final")][:3] == ["", "b", ""]


def test_what_was_given_up_is_killed_and_then_acknowledged(reconciled):
    answers = [["a", "b"], ["c"], []]
    api = reconciled(final("b"), open=answers, delete=[AWAY, job(State.CANCELED)])
    until(lambda: receipts(api) == ["b"])
    assert [call[1:] for call in api.calls if call[0] == "delete"] == [("b", 7)] * 2


def test_whenever_contact_is_made_notes_are_compared(reconciled, monkeypatch):
    monkeypatch.setattr(reconcile, "_EVERY", 1000.0)
    monkeypatch.setattr(contact, "_REFRESH", 0.01)
    api = reconciled(final(), ping=[info(), AWAY, info()])
    until(lambda: api.count("open") == 2)


def test_an_executor_or_a_store_that_is_away_is_asked_again(reconciled):
    stored = iter([StoreUnavailable("the disk is full"), {"a": 7}])

    def ask(ids):
        found = next(stored, {})
        if isinstance(found, Exception):
            raise found
        return found

    api = reconciled(ask, final=[AWAY, ["a"]])
    until(lambda: receipts(api) == ["a"])
