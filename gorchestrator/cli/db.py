"""``gorch db``: look after the database of the journal."""

from pathlib import Path

import click

from gorchestrator.cli.config import load
from gorchestrator.cli.failure import Failure


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Directory of the journal.")
def upgrade(data: Path | None) -> None:
    """Bring the database to the schema of this version. Stop the service, and back the file up, before."""
    from gorchestrator.domain.errors import StoreError  # noqa: PLC0415  (--help does without the store)
    from gorchestrator.store import schema  # noqa: PLC0415

    settings = {} if data is None else {"GORCH_DATA": str(data.absolute())}
    database = load(settings).value.database
    try:
        before, after = schema.upgrade(database)
    except StoreError as error:
        raise Failure(str(error)) from error
    click.echo(f"{database}: " + (f"is at {after} already" if before == after else f"{before or 'empty'} → {after}"))
