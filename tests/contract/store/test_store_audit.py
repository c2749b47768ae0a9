"""The audit in the database: with what it tells of or not at all, and one chain of all processes."""

import json
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from audit_support import grow_old, lines
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.audit import KEY_SIZE, Act, Action, End, Fault, Verdict, Who, verify
from gorchestrator.domain.errors import NotInDoubt, StoreError, TooManyRuns
from gorchestrator.domain.records import Acceptance, Answer, Change, Kind, NodeRow, Request, Resolution, TaskRow
from gorchestrator.domain.retention import Limits
from gorchestrator.service.audit import settings_started
from gorchestrator.service.retention import Retention
from gorchestrator.store import Store, audit, backups, migrations, remembered, schema
from gorchestrator.store.audit import end_of
from gorchestrator.store.seal import Seal, beside_database, end_file, read_end
from store_support import ME, OTHER, TASK, accept, processes, task_change

JOE = Who("joe", "10.1.2.3")


def verdict(path: Path) -> Verdict:
    key = Seal(beside_database(path)).key
    with closing(sqlite3.connect(path)) as opened:
        return verify(lines(path), end_of(opened), read_end(end_file(beside_database(path))), {key.name: key})


def done(path: Path) -> list[tuple[str, str, str, str]]:
    return [(line.actor, line.source, line.action, line.subject) for line in lines(path)]


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute(statement)


def submit(store: Store, task: str = TASK) -> None:
    accept_act = Act(JOE, Action.SUBMIT, task, {"name": "ü", "nodes": 1})
    store.journal.accept(Acceptance(TaskRow(task, "ü", size=1), None, [(0, "n", '{"name":"n"}')], ME), act=accept_act)


def test_a_line_comes_with_what_it_tells_of(store: Store, path: Path) -> None:
    submit(store)
    cancel = Act(JOE, Action.CANCEL, TASK)
    store.journal.request_cancel(TASK, "joe", 5.0, cancel)
    assert done(path) == [("joe", "10.1.2.3", action, TASK) for action in ("task.submit", "task.cancel")]
    assert lines(path)[0].details == '{"name": "\\u00fc", "nodes": 1}'
    assert verdict(path) == Verdict(2, 0, None)


def test_a_word_on_a_node_has_its_line_once(store: Store, path: Path) -> None:
    accept(store)
    row = NodeRow(TASK, 0, State.TORUN, "why", ReasonCode.ASK, attempt=1)
    store.journal.write(Change(Kind.NODE_WAITS, TASK, 1, 1.0, node_row=row))
    act = Act(JOE, Action.RESOLVE, TASK, {"node": 0, "answer": "failure"})
    for _ in range(2):
        store.journal.resolve(Resolution(TASK, 0, 0, Answer.FAILURE, {}, "joe", 5.0), act)
    assert done(path) == [("joe", "10.1.2.3", "node.resolve", TASK)]


def test_what_changes_nothing_leaves_no_line(store: Store, path: Path) -> None:
    accept(store)
    act = Act(JOE, Action.SUBMIT, OTHER)
    with pytest.raises(TooManyRuns):
        store.journal.accept(Acceptance(TaskRow(OTHER, "b", size=0), None, [], ME, most=1), act=act)
    request = Request("key", "digest")
    for task in (OTHER, "c" * 32):
        store.journal.accept(
            Acceptance(TaskRow(task, "b", size=0, accepted_at=5.0), None, [], ME, request=request), act=act
        )
    said = Resolution(TASK, 0, 1, Answer.FAILURE, {}, "joe", 5.0)
    with pytest.raises(NotInDoubt):
        store.journal.resolve(said, Act(JOE, Action.RESOLVE, TASK))
    for _ in range(2):
        store.journal.request_cancel(TASK, "joe", 5.0, Act(JOE, Action.CANCEL, TASK))
    store.journal.write(task_change(State.CANCELED))
    store.journal.request_cancel(TASK, "joe", 6.0, Act(JOE, Action.CANCEL, TASK))
    assert [(action, subject) for *_, action, subject in done(path)] == [("task.submit", OTHER), ("task.cancel", TASK)]


def test_no_line_no_task(store: Store, path: Path) -> None:
    change(path, "CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'refused'); END")
    with pytest.raises(StoreError, match="refused"):
        submit(store)
    assert store.reader.task(TASK) is None
    change(path, "DROP TRIGGER no")
    submit(store)
    assert verdict(path) == Verdict(1, 0, None)


def test_processes_make_one_chain(store: Store, path: Path) -> None:
    each = 50
    with processes(path, *[("cancel", who, each) for who in ("ann", "ben")]) as started:
        for process in started:
            assert process.line() == "ready"
        for process in started:
            process.go()
        for process in started:
            assert process.end() == []
            assert process.status == 0
    found = lines(path)
    assert sorted(line.actor for line in found) == ["ann"] * each + ["ben"] * each
    assert verdict(path) == Verdict(2 * each, 0, None)


def test_the_key_and_the_end_are_files_of_the_owner_alone_and_not_in_the_database(store: Store, path: Path) -> None:
    submit(store)
    key = beside_database(path)
    for file in (key, end_file(key)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = key.read_bytes()
    assert len(secret) == KEY_SIZE
    assert all(secret not in file.read_bytes() for file in path.parent.iterdir() if file != key)
    store.close()
    again = Store.open(path)
    submit(again, OTHER)
    again.close()
    assert verdict(path) == Verdict(2, 0, None)


def test_all_who_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: Seal(tmp_path / "sub" / "key").key.name, range(32)))
    assert len(found) == 1
    assert sorted(file.name for file in (tmp_path / "sub").iterdir()) == ["key", "key.end"]


def test_a_process_that_is_late_does_not_put_an_older_end_in_the_place_of_a_later_one(tmp_path: Path) -> None:
    seal = Seal(tmp_path / "key")
    older, later = (seal.key.end(End(number, "mac", seal.key.name)) for number in (7, 8))
    seal.keep(later)
    seal.keep(older)
    assert seal.outside == later
    seal.keep(older, back=True)
    assert seal.outside == older


def test_a_file_that_is_no_key_is_refused(path: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"short")
    with pytest.raises(StoreError, match="is no key of an audit: a key has 32 bytes, not 5"):
        Store.open(path, audit_key=wrong)
    with pytest.raises(StoreError, match="cannot be used"):
        Store.open(path, audit_key=tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_end SET number = 2, mac = (SELECT mac FROM audit WHERE number = 2)",
        "UPDATE audit_end SET sign = (SELECT sign FROM old_end), number = 2, mac = (SELECT mac FROM old_end)",
        "UPDATE audit_end SET number = 2, mac = (SELECT mac FROM audit WHERE number = 2), key = '0123456789abcdef'",
        "DELETE FROM audit_end",
    ],
    ids=["a forged end", "the end as it was before", "the end of another key", "no end"],
)
def test_lines_that_follow_on_a_chain_that_was_cut_do_not_hide_that(store: Store, path: Path, statement: str) -> None:
    submit(store, "1" * 32)
    submit(store, "2" * 32)
    change(path, "CREATE TABLE old_end AS SELECT * FROM audit_end")
    submit(store, "3" * 32)
    assert verdict(path).fault is None
    change(path, statement)
    change(path, "DELETE FROM audit WHERE number > coalesce((SELECT number FROM audit_end), 0)")
    for task in "456":
        submit(store, task * 32)
        found = verdict(path)
        assert found.fault is not None
        assert found.fault.number in {1, 3}
    kept = read_end(end_file(beside_database(path)))
    assert kept is not None
    assert kept != End()


@pytest.mark.parametrize("key", ["0123456789abcdef", ""], ids=["of another key", "of no key"])
@pytest.mark.parametrize(
    ("removed", "mac"), [(3, "x"), (2, "(SELECT mac FROM audit WHERE number = 3)")], ids=["all", "the first ones"]
)
def test_nobody_says_without_the_key_that_lines_were_pruned(
    store: Store, path: Path, tmp_path: Path, key: str, removed: int, mac: str
) -> None:
    for task in "123":
        submit(store, task * 32)
    ours = "(SELECT key FROM audit WHERE number = 3)"
    of_pruned = f"(SELECT mac FROM audit WHERE number = {removed})" if mac != "x" else "'x'"
    change(
        path,
        f"UPDATE audit_end SET mac = {mac if mac != 'x' else repr(mac)}, key = '{key}', pruned = {removed}, "
        f"pruned_mac = {of_pruned}, pruned_key = {f'{key!r}' if key and mac == 'x' else ours}, sign = 'x'",
    )
    change(path, f"DELETE FROM audit WHERE number <= {removed}")
    for task in "456":
        submit(store, task * 32)
        assert verdict(path).fault is not None
    assert verdict(path).pruned == 0


def test_a_start_with_other_settings_is_told_once(path: Path) -> None:
    schema.ensure(path)
    key = beside_database(path)

    def start(**values: str) -> None:
        remembered.note(path, key, values, lambda changed: settings_started(None, changed))

    start(bind="1", port="2")
    assert lines(path) == []
    for _ in range(2):
        start(bind="3", port="2", new="4")
    assert [(line.action, json.loads(line.details)) for line in lines(path)] == [
        ("settings.start", {"settings": ["bind"]})
    ]
    assert verdict(path).fault is None


def test_nobody_says_in_a_backup_what_was_pruned(store: Store, path: Path, tmp_path: Path) -> None:
    for task in "123":
        submit(store, task * 32)
    store.close()
    backups.backup(path, tmp_path / "backup")
    change(
        tmp_path / "backup",
        "UPDATE audit_end SET mac = 'x', key = 'other', pruned = 3, pruned_mac = 'x', pruned_key = 'other', sign = 'x'",
    )
    change(tmp_path / "backup", "DELETE FROM audit")
    backups.restore(path, tmp_path / "backup")
    assert verdict(path).fault is not None


def test_what_is_old_is_pruned_and_what_is_kept_still_holds(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "_STEP", 2)
    for number in range(7):
        submit(store, f"{number:032x}")
    retention = Retention(store, Limits(), audit=30 * 86_400)
    grow_old(path, 5, 30.9)
    retention.prune_audit()  # a line for each would be as many again
    assert verdict(path) == Verdict(7, 0, None)
    grow_old(path, 5, 31.1)
    retention.prune_audit()
    assert [(line.number, line.action) for line in lines(path)] == [
        (6, "task.submit"),
        (7, "task.submit"),
        (8, "audit.prune"),
    ]
    assert lines(path)[-1].details == '{"through": 5}'
    assert verdict(path) == Verdict(3, 5, None)
    submit(store, "f" * 32)
    assert verdict(path) == Verdict(4, 5, None)
    kept = read_end(end_file(beside_database(path)))
    assert (kept and kept.pruned) == 5
    change(path, "DELETE FROM audit WHERE number = 6")
    assert verdict(path).fault == Fault(6, "line 6 is missing: removed, or moved")
    change(path, "UPDATE audit_end SET pruned = 6")
    assert verdict(path).fault == Fault(None, "the end in the database was changed")


def test_all_lines_may_be_old(store: Store, path: Path) -> None:
    submit(store)
    grow_old(path, 1, 40)
    Retention(store, Limits(), audit=30 * 86_400).prune_audit()
    assert [line.number for line in lines(path)] == [2]
    assert verdict(path) == Verdict(1, 1, None)


def test_nothing_is_pruned_where_lines_were_removed(store: Store, path: Path) -> None:
    for number in range(3):
        submit(store, f"{number:032x}")
    grow_old(path, 3, 40)
    change(path, "UPDATE audit_end SET number = 2, mac = (SELECT mac FROM audit WHERE number = 2)")
    change(path, "DELETE FROM audit WHERE number = 3")
    Retention(store, Limits(), audit=30 * 86_400).prune_audit()
    assert [line.number for line in lines(path)] == [1, 2]
    assert verdict(path).fault is not None


def test_a_backup_that_comes_back_goes_on_with_a_line_of_that(store: Store, path: Path, tmp_path: Path) -> None:
    submit(store, "1" * 32)
    backup = tmp_path / "backup.db"
    backups.backup(path, backup)
    for number in "234":
        submit(store, number * 32)
    store.close()
    kept = backups.restore(path, backup, JOE).kept
    assert done(path)[1:] == [("joe", "10.1.2.3", "journal.restore", "backup.db")]
    assert lines(path)[-1].details == '{"lines": 1, "were": 4}'
    assert verdict(path) == Verdict(2, 0, None)
    again = Store.open(path)
    submit(again, "5" * 32)
    again.close()
    assert verdict(path) == Verdict(3, 0, None)
    assert kept is not None
    kept.replace(path)  # by hand: it has more lines than the end beside the key knows
    assert verdict(path).fault is not None


def test_a_backup_that_was_changed_shows_after_it_came_back(store: Store, path: Path, tmp_path: Path) -> None:
    for number in "123":
        submit(store, number * 32)
    backup = tmp_path / "backup.db"
    backups.backup(path, backup)
    change(backup, "DELETE FROM audit WHERE number = 3")
    change(backup, "UPDATE audit_end SET number = 2, mac = (SELECT mac FROM audit WHERE number = 2)")
    store.close()
    backups.restore(path, backup)
    fault = verdict(path).fault
    assert fault is not None
    assert fault.number == 3


def test_an_older_database_that_was_put_back_by_hand_shows(store: Store, path: Path, tmp_path: Path) -> None:
    submit(store, "1" * 32)
    backups.backup(path, tmp_path / "backup.db")
    submit(store, "2" * 32)
    store.close()
    backups.remove(path)
    (tmp_path / "backup.db").replace(path)
    fault = verdict(path).fault
    assert fault is not None
    assert "the last line was 2, as is kept beside the key" in fault.text
    again = Store.open(path)
    for number in "345":
        submit(again, number * 32)
    again.close()
    fault = verdict(path).fault
    assert fault is not None
    assert fault.number == 2
    assert "put back without gorch restore" in fault.text


def test_a_backup_of_before_there_was_an_audit_begins_one(path: Path, tmp_path: Path) -> None:
    store = Store.open(path)
    submit(store)
    store.close()
    backup = tmp_path / "backup.db"
    migrations.run(backup, "0007")
    backups.restore(path, backup)
    schema.upgrade(path)
    assert verdict(path) == Verdict(0, 0, None)
    again = Store.open(path)
    submit(again)
    again.close()
    assert verdict(path) == Verdict(1, 0, None)
