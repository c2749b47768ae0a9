"""How many attempts an executor gets at once, how they are killed and acknowledged."""

from pathlib import Path

import gevent
import pytest

from client_support import AWAY, Notes, ScriptedApi, attempt, info, job, until
from gorchestrator.client import executor as module
from gorchestrator.client import placing
from gorchestrator.client.api import Certificates, ExecutorApi
from gorchestrator.client.executor import RemoteExecutor
from gorchestrator.client.faults import FenceStale, Full, JobUnknown
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.errors import Fenced
from support import PATIENCE

ID = attempt().id


@pytest.fixture
def executor_with(monkeypatch):
    for name in ("_RECEIPTS_PAUSE", "_FIRST_PAUSE", "_KILL_PAUSE"):
        monkeypatch.setattr(module, name, 0.001)
    made = []

    def make(*, ping=None, **answers):
        executor = RemoteExecutor(ScriptedApi(ping=ping or [info()], **answers), lost_after=0.0, log_limit=1000)
        executor.contact.start()
        made.append(executor)
        return executor

    yield make
    for executor in made:
        executor.stop()


def in_slot(executor, notes, left):
    """Hold a slot until ``left`` is set."""
    with slot_of(executor, notes):
        left.wait()


def slot_of(executor, notes):
    return placing.placed(lambda: [executor], notes)


# -- slots


def test_a_slot_tells_the_instance_for_which_an_attempt_is_decided_on(executor_with):
    executor = executor_with()
    with slot_of(executor, Notes()) as placed:
        assert placed == (executor, "instance")


@pytest.mark.parametrize(("capacity", "queue", "places"), [(1, 64, 2), (4, 1, 5), (3, 0, 3), (16, 64, 32)])
def test_no_more_are_in_flight_than_run_and_wait_there(executor_with, capacity, queue, places):
    executor = executor_with(ping=[info(capacity, queue)])
    left = gevent.event.Event()
    holders = [gevent.spawn(in_slot, executor, Notes(), left) for _ in range(places + 3)]
    until(lambda: executor.slots.queued == 3)
    assert executor.slots.used == places
    assert executor.api.sizes == [places]
    left.set()
    gevent.joinall(holders, timeout=PATIENCE, raise_error=True)
    assert executor.slots.used == 0


def test_who_waits_for_a_slot_says_so_after_a_moment(executor_with, monkeypatch):
    monkeypatch.setattr(placing, "PATIENCE", 0.001)
    executor = executor_with(ping=[info(1, 0)])
    left, notes = gevent.event.Event(), Notes()
    holders = [gevent.spawn(in_slot, executor, each, left) for each in (Notes(), notes)]
    until(lambda: notes.told)
    assert notes.told == [(ReasonCode.SLOT, "waits for a slot on executor 'executor' (1 are taken)", None)]
    left.set()
    gevent.joinall(holders, timeout=PATIENCE, raise_error=True)


def test_who_is_killed_while_waiting_leaves_no_trace(executor_with):
    executor = executor_with(ping=[info(1, 0)])
    left = gevent.event.Event()
    first, second = [gevent.spawn(in_slot, executor, Notes(), left) for _ in range(2)]
    until(lambda: executor.slots.queued)
    second.kill()
    left.set()
    first.get(timeout=PATIENCE)
    assert executor.slots.used == 0
    assert not executor.slots.queued


def test_an_executor_that_is_away_is_waited_for_and_the_reason_is_taken_back(executor_with, monkeypatch):
    monkeypatch.setattr(placing, "PATIENCE", 0.001)
    executor = executor_with(ping=[AWAY, AWAY, info()])
    notes = Notes()
    with slot_of(executor, notes):
        pass
    assert notes.codes[0] is ReasonCode.EXECUTOR_UNREACHABLE
    assert notes.told[0][1].startswith("it is away; not reachable since 20")
    assert notes.told[-1] == (None, None, None)


# -- kills


def test_a_kill_returns_when_death_is_proven(executor_with):
    executor = executor_with(
        delete=[
            AWAY,
            Full("about to stop", 1),
            job(State.RUNNING, survivors=[7, 8]),
            job(State.CANCELED),
        ]
    )
    notes = Notes()
    executor.kill(ID, 3, notes)
    assert [call for call in executor.api.calls if call[0] == "delete"] == [("delete", ID, 3)] * 4
    assert [reason for _, reason, _ in notes.told] == [
        "the kill waits for its executor: it is away",
        "the kill was refused: about to stop",
        "processes that cannot be killed: 7, 8",
    ]


def test_there_is_nothing_to_kill_where_the_attempt_is_not_known_any_more(executor_with):
    executor = executor_with(delete=[JobUnknown(ReasonCode.LOST, "dropped long ago")])
    executor.kill(ID, 1, Notes())
    assert executor.api.count("delete") == 1


def test_a_kill_by_a_former_owner_is_refused(executor_with):
    executor = executor_with(delete=[FenceStale(ReasonCode.EXECUTOR_REFUSED, "fence 2 was seen")])
    with pytest.raises(Fenced):
        executor.kill(ID, 1, Notes())


# -- receipts


def test_receipts_are_collected_and_sent_until_they_arrive(executor_with):
    executor = executor_with(acknowledge=[AWAY, None])
    for number in range(10):
        executor.acknowledge(f"{number}")
    until(lambda: executor.api.count("acknowledge") == 2)
    until(lambda: not executor._receipts)
    sent = [call[1] for call in executor.api.calls if call[0] == "acknowledge"]
    assert sent == [[str(number) for number in range(10)]] * 2
    executor.acknowledge("later")
    until(lambda: executor.api.count("acknowledge") == 3)


def test_a_fault_of_ours_in_sending_them_loses_none(executor_with, caplog):
    executor = executor_with(acknowledge=[ZeroDivisionError("of ours"), None])
    executor.acknowledge("first")
    until(lambda: caplog.records)
    executor.acknowledge("second")
    until(lambda: not executor._receipts)
    assert executor.api.calls[-1] == ("acknowledge", ["first", "second"])


# -- what the executor says of itself


@pytest.mark.parametrize(
    ("capacity", "queue", "processes", "places"), [(16, 64, 1, 32), (16, 64, 4, 20), (2, 0, 2, 1), (1, 0, 5, 1)]
)
def test_together_the_processes_have_no_more_in_flight_than_an_executor_takes(
    executor_with, capacity, queue, processes, places
):
    executor = executor_with(ping=[info(capacity, queue)])
    until(lambda: executor.contact.info)
    executor.share_with(processes)
    assert executor.slots.limit == places


def test_kept_connections_outlive_a_ping_that_brings_no_news():
    api = ExecutorApi("executor", "https://127.0.0.1:1", Certificates(Path("ca"), Path("cert"), Path("key")))
    api.resize(8)
    before = api._session.adapters[api.url]
    api.resize(8)
    assert api._session.adapters[api.url] is before
    api.resize(9)
    assert api._session.adapters[api.url] is not before
