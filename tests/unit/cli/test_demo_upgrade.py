"""The directory of a demo whose journal an earlier version has made."""

import sqlite3
from contextlib import closing

import pytest

from gorchestrator.cli.failure import Failure
from gorchestrator.cli.workplace import Workplace
from gorchestrator.store import migrations, schema


@pytest.fixture
def place(tmp_path):
    found = Workplace(tmp_path)
    found.orchestrator.mkdir()
    return found


def test_the_journal_of_an_earlier_version_is_upgraded(place):
    assert not place.upgrade()  # there is none yet
    journal = place.orchestrator / "gorchestrator.db"
    migrations.run(journal, schema.REVISIONS[0])
    assert place.upgrade()
    assert schema.revision(journal) == schema.HEAD
    assert not place.upgrade()


def test_the_journal_of_a_newer_version_is_left_alone(place):
    journal = place.orchestrator / "gorchestrator.db"
    migrations.run(journal)
    with closing(sqlite3.connect(journal)) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Failure, match=r"newer version.* --data"):
        place.upgrade()
    assert schema.revision(journal) == "9999"


def test_what_is_damaged_is_left_to_the_service(place):
    (place.orchestrator / "gorchestrator.db").write_bytes(b"x" * 8192)
    assert not place.upgrade()
