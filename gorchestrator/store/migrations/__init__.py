"""The versions of the schema, run by Alembic. Imported only where there is something to migrate."""

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool


def config() -> Config:
    """Return Alembic's configuration: there is no ini file, the scripts travel in this package."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def run(path: Path, version: str = "head") -> None:
    """Bring the database file to a version, by default the newest: all of the missing ones, or none of them."""

    def connect() -> sqlite3.Connection:
        # Without isolation level, since the driver would begin no transaction for statements that change the schema.
        connection = sqlite3.connect(path, timeout=10, isolation_level=None)
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a new file; it has to come first
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    settings = config()
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        settings.attributes["connection"] = connection
        command.upgrade(settings, version)
        connection.exec_driver_sql("COMMIT")
