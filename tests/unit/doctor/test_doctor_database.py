"""Journals that are sound, of another version, damaged, or not there."""

import sqlite3
from contextlib import closing

import pytest

from gorchestrator.doctor import database
from gorchestrator.doctor.finding import Level
from gorchestrator.store import damage, schema

OK, WARNING, FAULT = Level.OK, Level.WARNING, Level.FAULT


@pytest.fixture
def path(tmp_path):
    schema.ensure(tmp_path / "gorchestrator.db")
    return tmp_path / "gorchestrator.db"


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


def bad(path):
    return [(each.level, each.says) for each in database.check(path) if each.level != OK]


def test_a_sound_journal(path):
    assert bad(path) == []
    assert f"has the schema {schema.HEAD} of this version" in [each.says for each in database.check(path)]


def test_no_journal_yet(tmp_path):
    assert bad(tmp_path / "gorchestrator.db") == []


def test_an_older_and_a_newer_schema(path):
    change(path, "UPDATE alembic_version SET version_num = '0001'")
    ((level, says),) = bad(path)
    assert (level, says) == (FAULT, f"has the schema 0001 of an older version; this one needs {schema.HEAD}")
    assert any("gorch db upgrade" in each.advice for each in database.check(path))
    change(path, "UPDATE alembic_version SET version_num = '9999'")
    assert bad(path) == [(FAULT, f"has the schema 9999 of a newer version; this one knows {schema.HEAD}")]


def test_a_database_of_something_else(tmp_path):
    path = tmp_path / "gorchestrator.db"
    change(path, "CREATE TABLE other (id)")
    path.chmod(0o600)
    ((level, says),) = bad(path)
    assert (level, "is not one of gorchestrator's" in says) == (FAULT, True)


def test_damage(path):
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    assert [level for level, _ in bad(path)] == [FAULT]
    assert any("gorch restore FILE" in each.advice for each in database.check(path))


@pytest.mark.parametrize(
    ("name", "says"), [("gorchestrator.db", "the file is empty"), ("-wal", "only its -wal is there")]
)
def test_what_cannot_have_been_left(tmp_path, name, says):
    (tmp_path / name.replace("-wal", "gorchestrator.db-wal")).write_text("" if name != "-wal" else "x")
    ((level, said),) = bad(tmp_path / "gorchestrator.db")
    assert (level, said.endswith(says)) == (FAULT, True)


def test_a_journal_that_was_found_damaged(path):
    damage.note(path).write_text("page 7")
    assert bad(path) == [(FAULT, "was found damaged")]
    assert damage.note(path).exists()  # the doctor only looks


def test_others_may_read_it(path):
    path.chmod(0o644)
    assert bad(path) == [(FAULT, "has mode 644: others may read what users submit")]


def test_leftovers(path):
    for name in ("gorchestrator.db.new", "gorchestrator.db.2026-01-01T000000.000000Z", "gorchestrator.db.lock"):
        (path.parent / name).touch()
    found = [each for each in database.check(path) if each.check == "leftovers"]
    assert [(each.level, each.subject.rpartition("/")[2][17:]) for each in found] == [
        (WARNING, "2026-01-01T000000.000000Z"),
        (WARNING, "new"),
    ]
