"""The schema: made where there is none, by one process; refused where it is another one; upgraded on request."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from gorchestrator.common.states import State
from gorchestrator.domain.errors import SchemaMismatch, StoreError
from gorchestrator.store import Store, connection, migrations, schema, tables
from store_support import processes


def set_revision(path: Path, found: str) -> None:
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = ?", (found,))


def test_a_database_is_made_where_there_is_none_and_found_again(path: Path) -> None:
    for _ in range(2):
        store = Store.open(path)
        assert store.reader.last_seq() == 0
        store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_migrations_make_the_tables_that_the_code_knows(path: Path) -> None:
    schema.ensure(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as opened:
        assert compare_metadata(MigrationContext.configure(opened), tables.metadata) == []
    engine.dispose()


def test_the_list_of_revisions_is_that_of_the_migrations() -> None:
    scripts = ScriptDirectory.from_config(migrations.config())
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == schema.REVISIONS
    assert scripts.get_heads() == [schema.HEAD]


def test_an_older_schema_is_refused_and_upgraded_with_all_that_is_in_it(path: Path) -> None:
    path.parent.mkdir()
    migrations.run(path, schema.REVISIONS[0])
    values = {
        "id": "0" * 32,
        "name": "old",
        "state": 2,
        "labels": '{"a":"b"}',
        "size": 2,
        "accepted_at": 17,
        "fence": 3,
    }
    with closing(sqlite3.connect(path)) as opened, opened:
        names, places = ", ".join(values), ", ".join("?" * len(values))
        opened.execute(f"INSERT INTO tasks ({names}) VALUES ({places})", tuple(values.values()))
        opened.executemany("INSERT INTO specs VALUES (?, ?, ?, '{}')", [(values["id"], n, f"n{n}") for n in (0, 1)])
        opened.execute("INSERT INTO nodes (task, node, state, attempt, output) VALUES (?, 1, 3, 1, '{}')", ("0" * 32,))
    with pytest.raises(SchemaMismatch, match="gorch db upgrade") as caught:
        Store.open(path)
    assert caught.value.data == {"found": schema.REVISIONS[0], "needed": schema.HEAD}

    assert schema.upgrade(path) == (schema.REVISIONS[0], schema.HEAD)
    store = Store.open(path)
    (task,) = store.reader.open_tasks()
    store.close()
    assert task.counts == {State.TORUN: 1, State.SUCCESS: 1}
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("SELECT key, value, accepted_at, task FROM labels").fetchall() == [
            ("a", "b", 17, "0" * 32)
        ]
    assert (task.name, task.fence, task.deadline, task.elapsed, task.seen_at) == ("old", 3, None, 0.0, None)


def test_a_newer_schema_is_refused_by_both(path: Path) -> None:
    schema.ensure(path)
    set_revision(path, "9999")
    with pytest.raises(SchemaMismatch, match="newer version"):
        Store.open(path)
    with pytest.raises(SchemaMismatch, match="newer version"):
        schema.upgrade(path)


def test_a_commit_of_the_writer_reaches_the_disk(path: Path) -> None:
    schema.ensure(path)
    with closing(connection.writing(path)) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert opened.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_an_upgrade_of_what_is_up_to_date_changes_nothing(path: Path) -> None:
    schema.ensure(path)
    assert schema.upgrade(path) == (schema.HEAD, schema.HEAD)


def test_an_upgrade_needs_a_database(path: Path) -> None:
    with pytest.raises(StoreError, match="There is no database"):
        schema.upgrade(path)
    assert not path.exists()


def test_a_migration_that_fails_leaves_the_database_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", fail)
        with pytest.raises(StoreError, match="disk I/O error"):
            Store.open(path)
    assert schema.revision(path) is None
    Store.open(path).close()


def test_the_database_of_another_program_is_refused(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("CREATE TABLE other (x)")
    with pytest.raises(StoreError, match=r"not one of gorchestrator's"):
        Store.open(path)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("no database, but a text that is long enough to look like one\n" * 100)
    with pytest.raises(StoreError, match=r"damaged \(file is not a database\).*gorch restore FILE --data ") as caught:
        Store.open(path)
    assert str(path) in caught.value.detail


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/gorchestrator\.db"):
        Store.open(tmp_path / "file" / "gorchestrator.db")


def test_a_backup_without_write_ahead_log_gets_one(path: Path) -> None:
    schema.ensure(path)
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_four_processes_that_open_an_empty_database_at_once_all_get_one(path: Path) -> None:
    with processes(path, *[("open",)] * 4) as started:
        assert [process.line() for process in started] == ["ready"] * 4
        for process in started:
            process.go()
        assert [process.end() for process in started] == [["0"]] * 4
        assert [process.status for process in started] == [0] * 4
