"""Backups are taken while processes write, and are put back only where nobody uses the database."""

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from audit_support import lines
from gorchestrator.common.states import State
from gorchestrator.domain.access import Role, Token
from gorchestrator.domain.audit import SERVICE
from gorchestrator.domain.errors import Fenced, SchemaMismatch, StoreError
from gorchestrator.service.events import Events
from gorchestrator.store import Store, backups, connection, damage, migrations, schema, tokens
from gorchestrator.store.seal import beside_database
from gorchestrator.store.usage import Usage
from store_support import OTHER, TASK, accept, node_change, node_states, processes, task_change, task_ids


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "backup.db"


@pytest.fixture(autouse=True)
def folder(target: Path) -> None:
    target.parent.mkdir()


def names(folder: Path) -> list[str]:
    """Return what is in a folder, beside the key of the audit."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("audit.key"))


def test_a_backup_is_one_private_file_with_all_that_was_committed(store: Store, path: Path, target: Path) -> None:
    accept(store)
    store.journal.write(node_change(0))
    assert backups.backup(path, target) == target.stat().st_size
    store.journal.write(node_change(1))
    assert names(target.parent) == ["backup.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert copy.execute("SELECT node FROM nodes").fetchall() == [(0,)]


def test_a_backup_is_of_one_moment_however_much_is_written_meanwhile(
    store: Store, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each commit between two steps would make the copy start again, had it no snapshot of its own."""
    accept(store, size=300)
    steps = []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:

        class Busy(sqlite3.Connection):
            def backup(self, copy: sqlite3.Connection, **options: Any) -> None:
                super().backup(copy, progress=commit, **options)

        def commit(*_: object) -> None:
            assert len(steps) < 1000
            steps.append(other.execute("INSERT INTO owners VALUES (?, '', 1, 1, 1)", (str(len(steps)),)))

        monkeypatch.setattr(backups, "_STEP", 1)
        monkeypatch.setattr(backups, "_reading", lambda file: sqlite3.connect(file, factory=Busy))
        backups.backup(path, target)
    assert len(steps) > 5
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT count(*) FROM specs").fetchone() == (300,)
        assert copy.execute("SELECT count(*) FROM owners").fetchone() == (0,)


def test_what_is_there_is_replaced_only_if_asked_for(store: Store, path: Path, target: Path) -> None:
    target.write_text("precious")
    with pytest.raises(StoreError, match=r"is there already; choose another name, or --force"):
        backups.backup(path, target)
    assert target.read_text() == "precious"
    backups.backup(path, target, force=True)
    assert damage.faults(target) is None


def test_what_cannot_be_a_backup(store: Store, path: Path, tmp_path: Path, target: Path) -> None:
    for other in (path, path.with_name(path.name + "-wal")):
        for use in (lambda other=other: backups.backup(path, other, force=True), lambda: backups.restore(path, path)):
            with pytest.raises(StoreError, match="is the database of the service itself"):
                use()
    with pytest.raises(StoreError, match="is a directory"):
        backups.backup(path, target.parent, force=True)
    with pytest.raises(StoreError, match=r"none/backup\.db cannot be written: No such file"):
        backups.backup(path, tmp_path / "none" / "backup.db")
    with pytest.raises(StoreError, match=r"There is no database .*--data"):
        backups.backup(tmp_path / "empty" / path.name, target)
    assert not (tmp_path / "empty").exists()
    assert names(target.parent) == []


def test_a_damaged_database_gives_no_backup(path: Path, target: Path) -> None:
    made = Store.open(path)
    accept(made, size=500)
    made.close()
    with path.open("r+b") as file:
        file.seek(-8192, os.SEEK_END)
        file.write(b"\xff" * 8192)
    with pytest.raises(StoreError, match="is damaged, and no backup was written"):
        backups.backup(path, target)
    assert names(target.parent) == []


def test_a_full_disk_is_named(store: Store, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def small(*arguments: object, **options: object) -> sqlite3.Connection:
        opened = connect(*arguments, **options)  # type: ignore[call-overload]
        if str(arguments[0]).startswith(str(target)):
            opened.execute("PRAGMA max_page_count=2")
        return opened

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(StoreError, match=rf"The disk is full: .*{target.parent}"):
        backups.backup(path, target)
    assert names(target.parent) == []


def test_a_backup_comes_back_and_what_was_there_is_kept(store: Store, path: Path, target: Path) -> None:
    accept(store)
    backups.backup(path, target)
    with pytest.raises(StoreError, match="is in use: stop the service"):
        backups.restore(path, target)
    accept(store, OTHER)
    with closing(connection.reading(path)) as killed:  # so that -wal and -shm stay, as after kill -9
        killed.execute("SELECT * FROM tasks").fetchall()
        store.close()
        damage.note(path).write_text("found damaged")
        done = backups.restore(path, target)
        kept = done.kept
        assert kept is not None
        assert names(path.parent) == sorted(
            [path.name, f"{path.name}.lock", kept.name, f"{kept.name}-shm", f"{kept.name}-wal"]
        )
    assert done.revision == schema.HEAD
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Store.open(path)
    assert task_ids(again) == [TASK]
    open_task = again.reader.task(TASK)
    assert open_task
    again.journal.write(node_change(0, fence=open_task.fence))
    assert node_states(again)[0] is State.RUNNING
    again.close()

    backups.restore(path, kept)  # with what is in its -wal
    before = Store.open(path)
    assert set(task_ids(before)) == {TASK, OTHER}
    before.close()


def test_a_backup_comes_to_a_place_where_there_was_nothing(
    store: Store, path: Path, target: Path, tmp_path: Path
) -> None:
    accept(store)
    backups.backup(path, target)
    target.chmod(0o400)
    new = tmp_path / "another" / path.name
    assert backups.restore(new, target).kept is None
    assert names(new.parent) == [path.name]
    assert names(target.parent) == ["backup.db"]
    Store.open(new).close()


def test_what_comes_behind_a_restore_is_not_taken_for_what_came_behind_the_backup(
    store: Store, path: Path, target: Path, tmp_path: Path
) -> None:
    accept(store)
    accept(store, OTHER)
    store.journal.write(task_change(State.SUCCESS, OTHER))
    backups.backup(path, target)
    store.journal.write(node_change(0))
    new = tmp_path / "another" / path.name
    backups.restore(new, target)
    again = Store.open(new)
    assert [each.seq for each in again.reader.events(0, 10)] == [1, 2, 3]
    rows = {task: again.reader.task(task) for task in (TASK, OTHER)}
    assert {task: row.fence for task, row in rows.items() if row} == {TASK: 1_000_001, OTHER: 1}
    with pytest.raises(Fenced):  # a process that still runs it
        again.journal.write(node_change(0))
    again.journal.write(node_change(0, fence=1_000_001))
    assert again.reader.last_seq() == 2**32 + 1
    again.close()
    backups.backup(new, target, force=True)
    backups.restore(new, target)
    once_more = Store.open(new)
    assert once_more.reader.kept() == (0, 2 * 2**32)
    events = Events(once_more, Mock())
    expected = {0: True, 1: True, 3: True, 4: False, 2**32 - 1: False, 2**32: True, 2**32 + 1: True, 2**32 + 2: False}
    expected |= {2 * 2**32: True, 2 * 2**32 + 1: False}
    assert {after: not events.start(after).reset for after in expected} == expected
    once_more.close()


def made(name: str, token_id: str) -> Token:
    return Token(token_id, name, "digest", Role.VIEWER, None, 1000.0)


def test_what_became_of_tokens_since_a_backup_stays_so(path: Path, target: Path) -> None:
    key = beside_database(path)
    for each in (made("stays", "1"), made("goes", "2")):
        tokens.add(path, each, SERVICE, key)
    backups.backup(path, target)
    tokens.revoke(path, "2", SERVICE, key)
    tokens.add(path, made("comes", "3"), SERVICE, key)
    done = backups.restore(path, target)
    assert (done.tokens, done.unknown) == ([], False)
    assert [(each.name, each.revoked_at is None) for each in tokens.tokens(path)] == [
        ("stays", True),
        ("goes", False),
        ("comes", True),
    ]


def test_where_nobody_knows_what_became_of_tokens_those_that_open_are_told(path: Path, target: Path) -> None:
    key = beside_database(path)
    for each in (made("stays", "1"), made("went", "2")):
        tokens.add(path, each, SERVICE, key)
    tokens.revoke(path, "2", SERVICE, key)
    backups.backup(path, target)
    path.write_bytes(b"damaged" * 1000)
    assert [each.name for each in backups.restore(path, target).tokens] == ["stays"]
    assert json.loads(lines(path)[-1].details)["tokens"] == ["1"]
    path.unlink()
    schema.ensure(path)  # a new one, which knows of none
    assert [each.name for each in backups.restore(path, target).tokens] == ["stays"]


def test_a_backup_of_before_there_were_tokens_says_that_none_is_known(path: Path, target: Path) -> None:
    migrations.run(target, schema.REVISIONS[0])
    tokens.add(path, made("stays", "1"), SERVICE, beside_database(path))
    assert backups.restore(path, target).unknown


def test_where_there_were_no_tokens_before_a_restore_none_are_missed(path: Path, target: Path) -> None:
    schema.ensure(path)
    backups.backup(path, target)
    assert not backups.restore(path, target).unknown


def test_an_older_backup_is_taken_and_has_to_be_upgraded(path: Path, target: Path) -> None:
    migrations.run(target, schema.REVISIONS[0])
    assert backups.restore(path, target).revision == schema.REVISIONS[0]
    with pytest.raises(SchemaMismatch, match="gorch db upgrade"):
        Store.open(path)
    schema.upgrade(path)
    Store.open(path).close()


def test_what_is_no_sound_backup_of_ours_changes_nothing(store: Store, path: Path, target: Path) -> None:
    accept(store)
    backups.backup(path, target)
    store.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"There is no file .*none"):
        backups.restore(path, target.with_name("none"))
    text = target.with_name("text")
    text.write_text("no database, but a text that is long enough to look like one\n" * 100)
    with pytest.raises(StoreError, match=rf"{text}.*file is not a database"):
        backups.restore(path, text)
    other = target.with_name("other")
    with closing(sqlite3.connect(other)) as opened:
        opened.execute("CREATE TABLE other (x)")
    with pytest.raises(StoreError, match="is no backup of gorchestrator"):
        backups.restore(path, other)
    with closing(sqlite3.connect(target)) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="of a newer version"):
        backups.restore(path, target)
    with target.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreError, match=rf"The backup {target} is damaged, and nothing was changed"):
        backups.restore(path, target)
    assert path.read_bytes() == before
    assert names(path.parent) == [path.name, f"{path.name}.lock"]


def test_who_replaces_a_database_is_alone(store: Store, path: Path) -> None:
    for use in (lambda: schema.upgrade(path), lambda: Usage(path, alone=True)):
        with pytest.raises(StoreError, match="is in use: stop the service"):
            use()
    store.close()
    with Usage(path, alone=True), pytest.raises(StoreError, match="is being replaced or upgraded"):
        Store.open(path)
    Store.open(path).close()


def test_the_use_of_a_killed_process_ends_with_it(store: Store, path: Path) -> None:
    accept(store)
    store.close()
    with processes(path, ("write", TASK, 1_000_000)) as (writer,):
        assert writer.line()
        with pytest.raises(StoreError, match="is in use"):
            Usage(path, alone=True)
        writer.kill()
    Usage(path, alone=True).end()
