"""When a worker is alive and ready, and what its metrics tell while the store is away."""

import time
from types import SimpleNamespace

import gevent
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gorchestrator.common.states import State
from gorchestrator.domain.errors import StoreUnavailable
from gorchestrator.domain.graph import Node
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import AttemptRow, NodeRow, Totals
from gorchestrator.service import monitoring
from gorchestrator.service.monitoring import Monitoring

WAITS = NodeRow("t", 0)


class Contact:
    """That to an executor which runs ``shell``, or to one that was never reached."""

    def __init__(self, there):
        self.there = there
        self.since_at = 1000.0
        self.fault = None
        self.info = SimpleNamespace(engines={"shell": {}}, capacity=4, load=3) if there else None

    def wait(self, timeout):
        return self.there


def executor(name, there=True):
    return SimpleNamespace(name=name, contact=Contact(there), slots=SimpleNamespace(used=2, limit=8, queued=1))


@pytest.fixture
def worker(tmp_path):
    """Return a worker whose store, executors and proofs a test may change."""
    (tmp_path / "db").write_bytes(bytes(1234))
    reader = SimpleNamespace(totals=lambda: Totals({State.SUCCESS: 5}, {State.TORUN: 7}, 99))
    found = SimpleNamespace(
        fleet=[executor("one")],
        measures=Measures(),
        store=SimpleNamespace(
            path=tmp_path / "db",
            journal=SimpleNamespace(fault=None, ended=False),
            reader=reader,
            feed=SimpleNamespace(opened=0, followers=0),
        ),
        proofs=0,
        prove=lambda: None,
    )

    def prove():
        found.proofs += 1
        found.prove()

    found.monitoring = Monitoring(
        measures=found.measures, store=found.store, fleet=found.fleet, prove=prove, runs=lambda: 3, limit=10
    )
    return found


def samples(worker):
    text, _ = worker.monitoring.metrics("")
    return {
        (each.name, *(value for _, value in sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(text.decode())
        for each in family.samples
    }


def fault(error):
    def prove():
        raise error

    return prove


# -- health


def test_it_is_ready_when_the_store_takes_something_which_is_tried_once_a_second(worker):
    for _ in range(50):
        found = worker.monitoring.readiness()
        assert (found.ready, found.fault, found.draining) == (True, None, False)
    assert worker.proofs == 1


def test_what_the_store_refuses_is_told_and_tried_again(worker):
    worker.prove = fault(StoreUnavailable("The disk is full: free some."))
    for _ in range(3):
        found = worker.monitoring.readiness()
        assert (found.ready, found.fault) == (False, "The disk is full: free some.")
    assert worker.proofs == 3
    worker.prove = lambda: None
    assert worker.monitoring.readiness().ready


def test_a_fault_that_is_known_needs_no_proof(worker):
    assert worker.monitoring.readiness().ready
    worker.store.journal.fault = "It is locked."
    assert worker.monitoring.readiness().fault == "It is locked."
    assert worker.proofs == 1


def test_who_asks_does_not_wait_for_a_store_that_hangs(worker, monkeypatch):
    monkeypatch.setattr(monitoring, "_PATIENCE", 0.05)
    worker.prove = lambda: gevent.sleep(60)
    began = time.monotonic()
    assert worker.monitoring.readiness().fault == "The store took nothing within 0.05 s."
    assert time.monotonic() - began < 30


def test_a_disk_without_room_is_full_before_something_has_failed(worker, monkeypatch):
    monkeypatch.setattr(monitoring, "free", lambda folder: 2**20 - 1)
    assert "The disk is full" in worker.monitoring.readiness().fault
    assert worker.proofs == 0


def test_a_worker_that_is_about_to_stop_is_not_ready_and_asks_nothing_of_the_store(worker):
    worker.monitoring.draining = True
    found = worker.monitoring.readiness()
    assert (found.ready, found.fault, found.draining, worker.proofs) == (False, None, True, 0)


def test_executors_are_told_but_do_not_count(worker):
    worker.fleet[:] = [executor("one", there=False), executor("two")]
    found = worker.monitoring.readiness()
    assert found.ready
    told = [(each.name, each.reachable, each.reason) for each in found.executors]
    assert told == [("one", False, "it was not reached yet"), ("two", True, None)]


def test_it_is_dead_when_nothing_can_be_written_any_more(worker):
    assert worker.monitoring.alive
    worker.store.journal.ended = True
    assert not worker.monitoring.alive


# -- metrics


def test_what_the_store_has_is_shown(worker):
    found = samples(worker)
    assert found["gorch_tasks", "success"] == 5
    assert found["gorch_tasks", "failure"] == 0
    assert found["gorch_nodes", "torun"] == 7
    assert found["gorch_journal_events_total",] == 99
    assert found["gorch_journal_bytes",] == 1234
    assert (found["gorch_runs",], found["gorch_open_runs_limit",]) == (3, 10)
    assert found["gorch_store_writable",] == 1


def test_while_the_store_is_away_all_else_is_shown(worker):
    worker.store.reader.totals = fault(StoreUnavailable())
    worker.store.journal.fault = "It is locked."
    found = samples(worker)
    assert ("gorch_tasks", "success") not in found
    assert found["gorch_store_writable",] == 0
    assert found["gorch_runs",] == 3


def test_executors_are_shown_while_they_are_configured(worker):
    worker.fleet[:] = [executor("one"), executor("two", there=False)]
    found = samples(worker)
    assert (found["gorch_executor_reachable", "one"], found["gorch_executor_reachable", "two"]) == (1, 0)
    assert (found["gorch_executor_in_flight", "one"], found["gorch_executor_slots", "one"]) == (2, 8)
    assert (found["gorch_executor_capacity", "one"], found["gorch_executor_load", "one"]) == (4, 3)
    assert found["gorch_attempts_lost_total", "one"] == 0  # so that the first one is seen
    assert ("gorch_executor_capacity", "two") not in found
    del worker.fleet[0]
    assert ("gorch_executor_reachable", "one") not in samples(worker)


def test_streams_are_counted_once(worker):
    worker.store.feed = SimpleNamespace(opened=4, followers=2)
    for _ in range(3):
        found = samples(worker)
    assert (found["gorch_event_streams_opened_total",], found["gorch_event_streams",]) == (4, 2)


def test_engines_that_nobody_has_are_counted_as_one(worker):
    ended = NodeRow("t", 0, State.NOTRUNNABLE)
    for engine in ("shell", "made-up-1", "made-up-2", "nil"):
        worker.measures.meter.add(worker.measures.of_node(Node(0, "a", engine=engine), WAITS, ended, None))
    found = {key: value for key, value in samples(worker).items() if key[0] == "gorch_nodes_ended_total"}
    assert {key[1]: value for key, value in found.items()} == {"shell": 1, "nil": 1, "other": 2}


# -- what a change of a node counts for


def attempt(state=State.FAILURE, code=None, number=1, **columns):
    return AttemptRow("t", 0, number, "one", "i", state=state, reason_code=code, **columns)


@pytest.mark.parametrize(
    ("old", "new", "ended", "wanted"),
    [
        (WAITS, NodeRow("t", 0, State.RUNNING, attempt=1), attempt(State.RUNNING), {}),
        (WAITS, NodeRow("t", 0, State.CANCELED), None, {"nodes_ended": 1}),
        (
            NodeRow("t", 0, State.RUNNING, attempt=1),
            NodeRow("t", 0, State.FAILURE, attempt=1),
            attempt(started_at=1.0, stopped_at=3.0),
            {"nodes_ended": 1, "attempts_ended": 1, "attempt_duration": 1},
        ),
        (  # another attempt follows
            NodeRow("t", 0, State.RUNNING, attempt=1),
            NodeRow("t", 0, State.TORUN, reason_code="backoff", attempt=1),
            attempt(started_at=1.0, stopped_at=3.0),
            {"attempts_ended": 1, "attempt_duration": 1, "retries": 1},
        ),
        (  # a person is asked, who then wants another one
            NodeRow("t", 0, State.RUNNING, attempt=1),
            NodeRow("t", 0, State.TORUN, reason_code="ask", attempt=1),
            attempt(code="lost", started_at=1.0, stopped_at=3.0),
            {"attempts_ended": 1, "attempts_lost": 1},
        ),
        (NodeRow("t", 0, State.TORUN, reason_code="ask"), NodeRow("t", 0, State.TORUN), None, {"retries": 1}),
        (NodeRow("t", 0, State.TORUN, reason_code="backoff"), NodeRow("t", 0, State.TORUN), None, {}),
        (  # it never began: its executor was replaced
            NodeRow("t", 0, State.RUNNING, attempt=2),
            NodeRow("t", 0, State.TORUN, attempt=1),
            attempt(code="lost", number=2),
            {},
        ),
    ],
)
def test_a_change_counts_for_what_it_brings(old, new, ended, wanted):
    measures = Measures()
    measures.has_engine = lambda engine: True
    tally = measures.of_node(Node(0, "a", engine="shell"), old, new, ended)
    before = {(each.name, each.labels): each.values for each in measures.meter.samples()}
    measures.meter.add(tally)
    changed = [each for each in measures.meter.samples() if before.get((each.name, each.labels)) != each.values]
    names = {"nodes_ended": "gorch_nodes_ended_total", "attempts_ended": "gorch_attempts_ended_total"}
    names |= {"attempts_lost": "gorch_attempts_lost_total", "retries": "gorch_retries_total"}
    names |= {"attempt_duration": "gorch_attempt_duration_seconds"}
    assert {each.name for each in changed} == {names[each] for each in wanted}
    assert all(sum(each.values[:-1] or each.values) == 1 for each in changed)
