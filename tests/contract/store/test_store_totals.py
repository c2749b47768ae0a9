"""How much there is, kept by the database: right after every kind of change, and after an upgrade."""

import sqlite3
from contextlib import closing
from dataclasses import replace

from gorchestrator.common.states import State
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import Totals
from gorchestrator.store import Store, migrations, schema
from store_support import OTHER, TASK, accept, eventually, locked, node_change, task_change

COUNTED = "SELECT state, count(*) FROM tasks GROUP BY state"


def totals(store):
    found = store.reader.totals()
    return {state: n for state, n in found.tasks.items() if n}, {state: n for state, n in found.nodes.items() if n}


def test_an_empty_store_has_nothing(store):
    assert store.reader.totals() == Totals({}, {}, 0)


def test_tasks_are_counted_by_state_and_nodes_while_their_task_is_open(store):
    accept(store, TASK, size=3)
    accept(store, OTHER, size=2)
    assert totals(store) == ({State.INITIAL: 2}, {State.TORUN: 5})
    store.journal.write(task_change(State.RUNNING))
    counts = {State.TORUN: 2, State.RUNNING: 1}
    store.journal.write(replace(node_change(0), before=State.TORUN, counts=counts))
    assert totals(store) == ({State.INITIAL: 1, State.RUNNING: 1}, {State.TORUN: 4, State.RUNNING: 1})
    store.journal.write(task_change(State.SUCCESS))
    assert totals(store) == ({State.INITIAL: 1, State.SUCCESS: 1}, {State.TORUN: 2})
    assert store.reader.totals().events == store.reader.last_seq()


def test_a_change_that_is_refused_is_not_counted(store):
    accept(store)
    failed = []
    store.journal.post(task_change(State.SUCCESS, fence=7), failed.append)
    store.journal.sync()
    assert totals(store)[0] == {State.INITIAL: 1}


def test_removed_tasks_are_not_counted_any_more(store):
    accept(store, TASK)
    accept(store, OTHER)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("DELETE FROM tasks WHERE id = ?", (TASK,))
    assert totals(store)[0] == {State.INITIAL: 1}


def test_an_upgrade_counts_what_is_there(tmp_path):
    path = tmp_path / "old.db"
    migrations.run(path, "0003")
    columns = "id, name, state, labels, size, accepted_at, fence"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for number in range(10):
            row = (f"{number:032}", "t", 3 if number < 7 else 2, "{}", 1, number, 1)
            old.execute(f"INSERT INTO tasks ({columns}) VALUES (?,?,?,?,?,?,?)", row)
    schema.upgrade(path)
    store = Store.open(path)
    try:
        assert totals(store)[0] == {State.SUCCESS: 7, State.RUNNING: 3}
    finally:
        store.close()
    with closing(sqlite3.connect(path)) as old:
        assert dict(old.execute(COUNTED)) == dict(old.execute("SELECT state, n FROM totals"))


def test_what_is_measured_with_a_change_is_counted_when_it_is_durable_and_only_then(path):
    measures = Measures()
    store = Store.open(path, measures=measures)
    try:
        accept(store)
        ended = measures.tasks_ended.tally("success")
        with locked(path):
            store.journal.post(replace(task_change(State.SUCCESS), tally=ended))
            eventually(lambda: store.journal.fault)
            assert counted(measures) == 0
        store.journal.sync()
        assert counted(measures) == 1
        refused = []
        store.journal.post(replace(task_change(State.SUCCESS), tally=ended), refused.append)  # it has ended already
        store.journal.sync()
        eventually(lambda: refused)
        assert counted(measures) == 1
        assert sum(one.values[0] for one in measures.meter.samples() if one.name == "gorch_journal_faults_total") > 0
    finally:
        store.close()


def counted(measures):
    found = [each for each in measures.meter.samples() if each.name == "gorch_tasks_ended_total"]
    return sum(each.values[0] for each in found)
