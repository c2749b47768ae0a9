"""Receipts are made up for, for what is stored and for nothing else."""

import pytest

from client_support import AWAY, ScriptedApi, info, until
from gorchestrator.client import fleet, reconcile
from gorchestrator.client.fleet import RemoteExecutor
from gorchestrator.client.reconcile import Reconciler
from gorchestrator.common import wire
from gorchestrator.domain.errors import StoreUnavailable


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(fleet, "_RECEIPTS_PAUSE", 0.001)
    monkeypatch.setattr(reconcile, "_EVERY", 0.01)
    monkeypatch.setattr(wire, "FINALS_LIMIT", 2)


@pytest.fixture
def reconciled():
    """Return what starts a reconciler for an executor that answers so."""
    made = []

    def begin(stored, **answers):
        answers = {"ping": [info()], "acknowledge": [None], **answers}
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


def test_what_is_stored_is_acknowledged_and_nothing_else(reconciled):
    answers = [["a", "b"], ["c"], []]
    api = reconciled(lambda ids: {"a", "c"} & set(ids), ping=[AWAY, info()], finals=answers)
    until(lambda: receipts(api) == ["a", "c"])
    until(lambda: api.count("finals") > 2)
    assert [after for name, after in (call for call in api.calls if call[0] == "finals")][:3] == ["", "b", ""]


def test_an_executor_or_a_store_that_is_away_is_asked_again(reconciled):
    stored = iter([StoreUnavailable("the disk is full"), {"a"}])

    def ask(ids):
        found = next(stored, set())
        if isinstance(found, Exception):
            raise found
        return found

    api = reconciled(ask, finals=[AWAY, ["a"]])
    until(lambda: receipts(api) == ["a"])
