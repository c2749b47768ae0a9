"""``gorch why`` and ``gorch rerun``: what became of a node, and what to do about it."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from gorchestrator.cli.client import Client, client_command
from gorchestrator.common.states import State
from gorchestrator.common.text import printable

_SHOWN = 20  # nodes named in a list


@click.command()
@click.argument("task", metavar="TASK")
@click.argument("node", metavar="NODE")
@client_command
def why(client: Client, task: str, node: str) -> None:
    """Tell why NODE (name or number) is in its state: what it waits for, or what ended it."""
    found = client.remote.why(task, node)
    if client.as_json:
        client.print_json(found)
        return
    click.echo(f"{printable(found['name'])} is {State(found['state']).label}. {printable(found['summary'])}")
    for label, nodes in (("waits for", _nodes(found["waits_for"])), ("it began with", _nodes(found["ended_by"]))):
        for each in nodes[:_SHOWN]:
            reason = f": {printable(each['reason'])}" if each.get("reason") else ""
            click.echo(f"  {label} {printable(each['name'])}, {State(each['state']).label}{reason}")
    waits = found["waits_for"] or {}
    for each in waits.get("others", [])[:_SHOWN]:
        click.echo(f"  not on {printable(each['name'])}: {printable(each['reason'])}")
    if waits.get("until"):
        click.echo(f"  until {waits['until']}")
    for line in found["last_lines"]:
        click.echo(f"  | {printable(line)}")


@click.command()
@click.argument("task", metavar="TASK")
@click.argument("nodes", metavar="[NODE]...", nargs=-1)
@click.option("--preview", is_flag=True, help="Only tell what would run.")
@client_command
def rerun(client: Client, task: str, nodes: tuple[str, ...], preview: bool) -> None:
    """Run a TASK that has ended again, and print the id of the new one.

    What did not succeed runs again, the NODEs (names or numbers) that are given, and all that comes behind either; the
    rest is taken over with its outputs.
    """
    found = client.remote.rerun(task, nodes, preview=preview)
    if client.as_json:
        client.print_json(found)
        return
    click.echo(f"runs: {_names(found['runs'])}", err=not preview)
    click.echo(f"reused: {_names(found['reused'])}", err=not preview)
    if not preview:
        click.echo(found["id"])


def _nodes(about: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    about = about or {}
    found: Sequence[Mapping[str, Any]] = about.get("roots") or about.get("nodes") or ()
    return found


def _names(nodes: Sequence[Mapping[str, Any]]) -> str:
    names = ", ".join(printable(node["name"]) for node in nodes[:_SHOWN])
    return (names or "nothing") + (f" and {len(nodes) - _SHOWN} more" if len(nodes) > _SHOWN else "")
