"""``gorch audit``: who did what, asked of the service; or whether that still is what was written, of the database."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gorchestrator.cli.client import Client, client_command
from gorchestrator.cli.db import config, data_option, in_words
from gorchestrator.cli.failure import Failure

if TYPE_CHECKING:
    from gorchestrator.domain.audit import Verdict

MOST = 1000
_FAULTY = 1  # the exit status of an audit that does not hold


@click.command()
@click.option("--actor", metavar="NAME", help="Only what they did: the name of a token, or an address.")
@click.option("--action", metavar="ACTION", help="Only this: task.submit, task.cancel, …")
@click.option("--subject", metavar="ID", help="Only what was done to this task or token.")
@click.option("--since", metavar="TIME", help="Only from then on, such as 2026-11-01T12:00:00Z.")
@click.option("--until", metavar="TIME", help="Only before.")
@click.option("--limit", type=click.IntRange(1, MOST), default=100, help="How many (100).")
@click.option("--cursor", metavar="TEXT", help="Where the page before has ended, as that says.")
@click.option("--verify", is_flag=True, help="Check all lines, in the database itself; status 1: they do not hold.")
@click.option("--old-key", type=click.Path(path_type=Path), multiple=True, help="With --verify: a key of before.")
@data_option
@client_command
def audit(
    client: Client, verify: bool, old_key: tuple[Path, ...], data: Path | None, limit: int, **filters: str | None
) -> None:
    """Tell who did what, from where and when, the newest first."""
    wanted = {key: value for key, value in filters.items() if value}
    if verify and wanted:
        raise Failure(f"--verify checks all lines: leave out {', '.join(f'--{name}' for name in wanted)}")
    if verify:
        _verify(data, old_key, as_json=client.as_json)
        return
    if data is not None or old_key:
        raise Failure("--data and --old-key are for --verify: without it the service is asked")
    page = client.remote.audit(limit=limit, **wanted)
    if client.as_json:
        client.print_json(page)
        return
    if not page["lines"]:
        click.echo("No line is like that." if wanted else "Nobody has done anything yet.", err=True)
        return
    from gorchestrator.cli import tables  # noqa: PLC0415  (rich takes its time)

    tables.show_audit(page["lines"])
    if page["next"]:
        click.echo(f"There are more: --cursor {page['next']}", err=True)


def _verify(data: Path | None, old: tuple[Path, ...], *, as_json: bool) -> None:
    from gorchestrator.store import auditing  # noqa: PLC0415  (--help does without the store)

    settings = config(data)
    with in_words():
        verdict = auditing.check(settings.database, settings.audit_key, old)
    fault = verdict.fault
    if as_json:
        line, text = (None, None) if fault is None else (fault.number, fault.text)
        found = {"holds": fault is None, "lines": verdict.lines, "pruned": verdict.pruned, "line": line, "fault": text}
        click.echo(json.dumps(found))
    elif fault is None:
        click.echo(_told(verdict))
    else:
        click.echo(f"The audit does not hold: {fault.text}.", err=True)
    if fault is not None:
        click.get_current_context().exit(_FAULTY)


def _told(verdict: "Verdict") -> str:
    if not verdict.lines:
        told = "The audit holds: there is no line"
    else:
        first, last = verdict.pruned + 1, verdict.pruned + verdict.lines
        told = f"The audit holds: {verdict.lines} lines, from {first} to {last}"
    return told + (f"; {verdict.pruned} before them were pruned" if verdict.pruned else "")
