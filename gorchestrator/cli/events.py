"""``gorch events``: what happens, as it happens."""

from typing import Any

import click

from gorchestrator.cli.client import Client, client_command
from gorchestrator.common.states import State
from gorchestrator.common.text import printable


@click.command()
@click.argument("task", metavar="[TASK]", required=False)
@click.option("--after", type=click.IntRange(0), metavar="SEQ", help="Begin behind the event with this number.")
@client_command
def events(client: Client, task: str | None, after: int | None) -> None:
    """Print what happens to a TASK, from its first event to its end; without one, what happens to all from now on.

    A service that goes away is looked for, and no event is missed. With --json, an object a line.
    """
    for event in client.remote.events(task, after=after):
        if client.as_json:
            client.print_line(event)
        else:
            click.echo(_line(event, with_task=task is None))


def _line(event: dict[str, Any], *, with_task: bool) -> str:
    of = [event["task"]] if with_task else []
    if event["node"] is not None:
        of.append(f"node {event['node']}" + (f" attempt {event['attempt']}" if event["attempt"] else ""))
    state = State(event["state"]).label if "state" in event else ""
    reason = printable(event.get("reason") or "").replace("\n", " ")
    parts = [event["date"], str(event["seq"]), event["kind"], *of, state, reason]
    return "  ".join(part for part in parts if part)
