"""``gorch backup`` and ``gorch restore``: a copy of the journal, and its way back."""

from pathlib import Path

import click

from gorchestrator.cli.db import config, data_option, database, operator
from gorchestrator.cli.failure import Failure
from gorchestrator.common.checks import AUTO

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@data_option
def backup(file: Path, force: bool, data: Path | None) -> None:
    """Copy the journal to FILE, while the service runs or not. The key of its audit is not in it: keep that too."""
    from gorchestrator.domain.errors import StoreError  # noqa: PLC0415  (--help does without the store)
    from gorchestrator.store import backups  # noqa: PLC0415

    path = database(data)
    try:
        size = backups.backup(path, file, force=force)
    except StoreError as error:
        raise Failure(str(error)) from error
    click.echo(f"{file}: a backup of {path}, {size} bytes")


@click.command()
@click.argument("file", type=_FILE)
@data_option
def restore(file: Path, data: Path | None) -> None:
    """Put the backup FILE in the place of the journal. Stop the service before."""
    from gorchestrator.domain.errors import StoreError  # noqa: PLC0415
    from gorchestrator.store import backups, schema  # noqa: PLC0415

    settings = config(data)
    path = settings.database
    try:
        done = backups.restore(path, file, operator(), settings.audit_key)
    except StoreError as error:
        raise Failure(str(error)) from error
    click.echo(f"{path}: restored from {file}")
    if done.kept is not None:
        click.echo(f"What was there is kept as {done.kept}")
    if done.tokens:
        click.echo("Tokens of the backup, of which nobody knows here whether they were revoked since:")
        for token in done.tokens:
            click.echo(f"  {token.id} of {token.name}: gorch token revoke {token.id}, unless it is to open the service")
    if done.unknown and settings.access == AUTO:
        click.echo("No token is known now, so everybody on this machine may do everything: gorch token create, before")
        click.echo("others reach the service, or access = required")
    if done.revision != schema.HEAD:
        click.echo("The backup is of an older version: run `gorch db upgrade`")
    click.echo("Start the service")
