"""What is sent of a store, and what becomes of what cannot be sent."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import gevent
import pytest

from gorchestrator.common.states import State
from gorchestrator.common.traceparent import span_of, trace_of, written
from gorchestrator.domain.attempts import Attempt
from gorchestrator.domain.graph import Node
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import Acceptance, TaskRow
from gorchestrator.store import Store
from gorchestrator.store.turns import TRACES, turn
from gorchestrator.tracing import Exporter, Receiver
from store_support import ME, OTHER, TASK, task_change
from tracing_support import OtlpReceiver, receiving


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "gorchestrator.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store.open(path)
    yield store
    store.close()


@pytest.fixture
def there() -> Iterator[OtlpReceiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def measures() -> Measures:
    return Measures()


@pytest.fixture
def exporter(store: Store, there: OtlpReceiver, measures: Measures) -> Iterator[Exporter]:
    with closing(Receiver(there.url)) as receiver:
        yield Exporter(store, receiver, measures)


def ended(store: Store, task: str, size: int = 1) -> None:
    """Have a traced task end."""
    row = TaskRow(task, "test", size=size, accepted_at=1000.5)
    specs = [(number, f"n{number}", '{"engine":"nil"}') for number in range(size)]
    store.journal.accept(Acceptance(row, None, specs, ME, context=""))
    store.journal.write(task_change(State.SUCCESS, task, stopped_at=2001.0))


def counted(measures: Measures, name: str) -> float:
    return sum(one.values[0] for one in measures.meter.samples() if one.name == name)


def test_each_trace_is_sent_once(store: Store, exporter: Exporter, there: OtlpReceiver, measures: Measures) -> None:
    ended(store, TASK)
    ended(store, OTHER)
    for _ in range(2):
        exporter.look()
    assert sorted(span.id for span in there.spans) == sorted(
        span_of(task, *place) for task in (TASK, OTHER) for place in ((), (0,))
    )
    assert len(there.headers) == 1
    assert counted(measures, "gorch_spans_sent_total") == 4


@pytest.mark.parametrize(("size", "requests"), [(509, 1), (510, 2), (511, 2), (512, 2), (1200, 3)])
def test_large_ones_go_in_parts(
    store: Store, exporter: Exporter, there: OtlpReceiver, size: int, requests: int
) -> None:
    ended(store, TASK, size)
    ended(store, OTHER)
    exporter.look()
    assert len(there.spans) == len({(span.trace, span.id) for span in there.spans}) == size + 3
    assert len(there.headers) == requests


def test_while_another_process_sends_this_one_does_not(store: Store, exporter: Exporter, there: OtlpReceiver) -> None:
    ended(store, TASK)
    with turn(store.path, TRACES) as mine:
        assert mine
        exporter.look()
    assert not there.spans
    exporter.look()
    assert there.spans


def test_what_is_refused_is_lost_and_said(
    store: Store, exporter: Exporter, there: OtlpReceiver, measures: Measures, caplog: pytest.LogCaptureFixture
) -> None:
    ended(store, TASK)
    there.status = 400
    exporter.look()
    there.status = 200
    exporter.look()
    assert not there.spans
    assert counted(measures, "gorch_spans_lost_total") == 2
    (line,) = [line for line in caplog.records if line.levelno == logging.ERROR]
    assert "does not take 2 spans: it answers 400" in line.getMessage()


def test_a_receiver_that_is_away_is_waited_for(
    store: Store, exporter: Exporter, there: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ended(store, TASK)
    there.status = 503
    sending = gevent.spawn(exporter.look)
    while not there.refused:
        gevent.sleep(0.01)
    there.status = 200
    sending.get(timeout=60)
    assert len(there.spans) == 2
    assert [vars(line)["event"] for line in caplog.records if "event" in vars(line)] == ["traces_wait", "traces_go_on"]


def test_a_trace_that_cannot_be_made_keeps_no_other_waiting(
    store: Store, exporter: Exporter, there: OtlpReceiver, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ended(store, TASK)
    ended(store, OTHER)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE tasks SET labels = '[1]' WHERE id = ?", (TASK,))
    exporter.look()
    assert span_of(OTHER) in {span.id for span in there.spans}
    assert store.reader.due_traces(10) == []
    assert [line.getMessage() for line in caplog.records] == ["the trace of a task cannot be made"]


def test_a_part_is_traced_and_all_processes_agree_on_which(store: Store) -> None:
    tasks = [f"{number:032x}" for number in range(2000)]
    with closing(Receiver("http://127.0.0.1:9")) as receiver:
        first, second = (Exporter(store, receiver, Measures(), 0.25) for _ in range(2))
        wanted = [first.wants(task) for task in tasks]
        assert wanted == [second.wants(task) for task in tasks]
        assert 400 < sum(wanted) < 600
        for ratio, expected in ((0.0, 0), (1.0, len(tasks))):
            exporter = Exporter(store, receiver, Measures(), ratio)
            assert sum(exporter.wants(task) for task in tasks) == expected
            context = exporter.context(Attempt(TASK, Node(3, "n", "shell"), 2, (), "i", 1))
            assert context == written(trace_of(TASK), span_of(TASK, 3, 2), sampled=ratio > 0)
