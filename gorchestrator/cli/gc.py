"""``gorch gc``: remove what is not to be kept any more, now, beside the services or without them: tasks, or jobs."""

import json
from pathlib import Path
from typing import Any

import click

from gorchestrator.cli.config import ask_executor, load
from gorchestrator.cli.db import data_option
from gorchestrator.cli.failure import Failure
from gorchestrator.common.settings import SettingsError


@click.command()
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@click.option("--age", type=click.FloatRange(min=0), metavar="SECONDS", help="Keep tasks so long after their end.")
@click.option("--count", type=click.IntRange(min=0), metavar="N", help="Keep so many tasks that have ended.")
@click.option("--bytes", "size", type=click.IntRange(min=0), metavar="BYTES", help="Keep the database so small.")
@click.option("--executor", is_flag=True, help="Jobs of this machine's executor instead, by its settings.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@data_option
@click.pass_context
def gc(
    ctx: click.Context,
    dry_run: bool,
    age: float | None,
    count: int | None,
    size: int | None,
    executor: bool,
    as_json: bool,
    data: Path | None,
) -> None:
    """Remove tasks that have ended, the oldest first. 0: without limit; what is not given is as in the settings."""
    as_json = as_json or ctx.obj["json"]
    if executor:
        _jobs(dry_run=dry_run, age=age, count=count, size=size, as_json=as_json, data=data)
    else:
        _tasks(dry_run=dry_run, age=age, count=count, size=size, as_json=as_json, data=data)


def _tasks(
    *, dry_run: bool, age: float | None, count: int | None, size: int | None, as_json: bool, data: Path | None
) -> None:
    from gorchestrator.domain.errors import StoreError  # noqa: PLC0415  (--help does without the store)
    from gorchestrator.domain.retention import Limits  # noqa: PLC0415
    from gorchestrator.store import sweeping  # noqa: PLC0415

    config = load({} if data is None else {"GORCH_DATA": str(data.absolute())}).value
    limits = Limits(
        config.keep_age if age is None else age,
        config.keep_count if count is None else count,
        config.keep_bytes if size is None else size,
    )
    try:
        if dry_run:
            tasks, taken, room = sweeping.preview(config.database, limits)
        else:
            done, room = sweeping.sweep(config.database, limits)
            tasks, taken = done.tasks, done.size
    except StoreError as error:
        raise Failure(str(error)) from error
    found = {
        "dry_run": dry_run,
        "tasks": tasks,
        "bytes": taken,
        "ended": room.ended,
        "used": room.used,
        "file": room.file,
    }
    _show(found, as_json=as_json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found))
        return
    done = "would remove" if found["dry_run"] else "removed"
    click.echo(f"{done} {found['tasks']} tasks that have ended, about {found['bytes']} bytes")
    click.echo(
        f"in the database: {found['ended']} tasks that have ended, {found['used']} bytes in use of {found['file']}"
    )


def _jobs(
    *, dry_run: bool, age: float | None, count: int | None, size: int | None, as_json: bool, data: Path | None
) -> None:
    hours = None if age is None else age / 3600
    limits = [
        f"--{name}={given}"
        for name, given in (("hours", hours), ("count", count), ("bytes", size))
        if given is not None
    ]
    settings = {} if data is None else {"GORCH_EXECUTOR_DATA": str(data.absolute())}
    try:
        found = ask_executor("--gc", *(["--dry-run"] if dry_run else []), *limits, **settings)
    except SettingsError as error:
        first, *others = error.faults
        raise Failure(first, tuple(others)) from error
    if as_json:
        click.echo(json.dumps(found))
        return
    for each in found.get("directories", ()):
        click.echo(f"{each['path']}: ended {each['age'] / 3600:.1f} hours ago, {each['size']} bytes")
    for fault in found.get("faults", ()):
        click.echo(f"cannot be removed: {fault}", err=True)
    done = "would remove" if dry_run else "removed"
    click.echo(f"{done} {found['jobs']} jobs that have ended, {found['bytes']} bytes on the disk")
    click.echo(f"in the executor's directory: {found['kept']} jobs that have ended, {found['kept_bytes']} bytes")
