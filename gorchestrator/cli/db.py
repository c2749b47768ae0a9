"""``gorch db``: look after the database of the journal."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gorchestrator.cli.config import load
from gorchestrator.cli.failure import Failure

if TYPE_CHECKING:
    from gorchestrator.config import Config
    from gorchestrator.domain.audit import Who

data_option = click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Directory of the journal.")


def database(data: Path | None) -> Path:
    """Return the file of the journal: in the directory of ``--data``, else in that of the settings."""
    return config(data).database


def config(data: Path | None) -> "Config":
    """Return the settings, for the journal in the directory of ``--data`` if that is given."""
    return load({} if data is None else {"GORCH_DATA": str(data.absolute())}).value


def operator() -> "Who":
    """Return the user of the system, who does what a command does to the journal, as the audit names them."""
    from gorchestrator.domain.audit import Who  # noqa: PLC0415  (--help does without)

    try:
        return Who(pwd.getpwuid(os.getuid()).pw_name)
    except KeyError:  # a container may run as a user without a name
        return Who(str(os.getuid()))


@contextmanager
def in_words() -> Iterator[None]:
    """Turn what is wrong with the database into one line."""
    from gorchestrator.domain.errors import StoreError  # noqa: PLC0415  (--help does without the store)

    try:
        yield
    except StoreError as error:
        raise Failure(str(error)) from error


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@data_option
def upgrade(data: Path | None) -> None:
    """Bring the database to the schema of this version. Stop the service, and back the file up, before."""
    from gorchestrator.store import schema  # noqa: PLC0415  (--help does without)

    file = database(data)
    with in_words():
        before, after = schema.upgrade(file)
    click.echo(f"{file}: " + (f"is at {after} already" if before == after else f"{before or 'empty'} → {after}"))
