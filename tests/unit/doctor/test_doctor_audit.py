"""Audits that hold, that were changed, whose key is open to others, is missing or is none."""

import pytest

from gorchestrator.doctor import audit
from gorchestrator.doctor.finding import Level
from gorchestrator.domain.audit import Act, Action, Who
from gorchestrator.store import connection, schema, visiting
from gorchestrator.store.seal import beside_database

OK, FAULT = Level.OK, Level.FAULT


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "gorchestrator.db"
    schema.ensure(path)
    for number in range(3):
        act = Act(Who("joe"), Action.SUBMIT, str(number))
        visiting.audited(path, beside_database(path), lambda database, auditor, act=act: auditor.append(database, act))
    return path


def found(path):
    return [(each.check, each.level, each.says) for each in audit.check(path, beside_database(path))]


def test_one_that_holds(path):
    assert found(path) == [("permissions", OK, "has mode 600"), ("audit", OK, "holds: 3 lines")]


def test_one_that_was_changed(path):
    with connection.writing(path) as opened:
        opened.execute("DELETE FROM audit WHERE number = 2")
    opened.close()
    assert found(path)[1:] == [("audit", FAULT, "line 2 is missing: removed, or moved")]


def test_a_key_that_others_can_read(path):
    beside_database(path).chmod(0o640)
    assert found(path)[0] == ("permissions", FAULT, "has mode 640: others could write lines of the audit")


def test_a_key_that_is_none_or_missing(path):
    key = beside_database(path)
    key.write_bytes(b"short")
    ((check, level, says),) = found(path)
    assert (check, level, "a key has 32 bytes, not 5" in says) == ("audit", FAULT, True)
    key.unlink()
    ((check, level, says),) = found(path)
    assert (check, level, "is missing" in says) == ("audit", FAULT, True)


def test_nothing_is_said_where_there_is_no_journal_or_another_one(tmp_path, path):
    assert found(tmp_path / "none" / "gorchestrator.db") == []
    assert not (tmp_path / "none").exists()
    path.write_bytes(b"no database, but long enough to be looked at" * 100)
    assert found(path) == [("permissions", OK, "has mode 600")]
