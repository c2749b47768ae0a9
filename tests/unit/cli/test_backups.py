"""``gorch backup`` and ``gorch restore``: arguments, messages and exit statuses."""

import sqlite3
from contextlib import closing

import pytest
from click.testing import CliRunner

from gorchestrator.cli.entry import gorch
from gorchestrator.store import migrations, schema


@pytest.fixture
def run():
    def call(*arguments):
        return CliRunner().invoke(gorch, [str(each) for each in arguments], prog_name="gorch")

    return call


@pytest.fixture
def data(tmp_path):
    schema.ensure(tmp_path / "data" / "gorchestrator.db")
    return tmp_path / "data"


def test_there_and_back(run, data, tmp_path):
    file, database = tmp_path / "backup.db", data / "gorchestrator.db"
    done = run("backup", file, "--data", data)
    assert (done.exit_code, done.output) == (
        0,
        f"{file}: a backup of {database}, {file.stat().st_size} bytes\n",
    )
    done = run("backup", file, "--data", data)
    assert (done.exit_code, done.output) == (
        2,
        f"Error: {file} is there already; choose another name, or --force to replace it.\n",
    )
    assert run("backup", "--force", file, "--data", data).exit_code == 0
    done = run("restore", file, "--data", data)
    (kept,) = data.glob("gorchestrator.db.20*")
    assert (done.exit_code, done.output) == (
        0,
        f"{database}: restored from {file}\nWhat was there is kept as {kept}\nStart the service\n",
    )


def test_an_older_backup_names_the_next_step(run, tmp_path):
    file = tmp_path / "old.db"
    migrations.run(file, schema.REVISIONS[0])
    done = run("restore", file, "--data", tmp_path / "data")
    assert done.exit_code == 0
    assert "run `gorch db upgrade`" in done.output


def test_the_directory_is_that_of_the_settings(run, data, tmp_path, monkeypatch):
    monkeypatch.setenv("GORCH_DATA", str(data))
    assert run("backup", tmp_path / "backup.db").exit_code == 0
    with closing(sqlite3.connect(tmp_path / "backup.db")) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.HEAD,)]


def test_what_is_wrong_is_one_line(run, data, tmp_path):
    done = run("restore", tmp_path / "none", "--data", data)
    assert (done.exit_code, done.output) == (
        2,
        f"Error: There is no file {tmp_path / 'none'}; name one that `gorch backup` has written.\n",
    )
