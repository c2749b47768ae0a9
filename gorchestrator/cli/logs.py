"""``gorch logs``: what nodes printed."""

import sys
import time
from typing import Any

import click

from gorchestrator.cli.client import Client, client_command
from gorchestrator.common.text import printable

PAUSE = 0.3  # seconds between two looks at a log that grows


@click.command()
@click.argument("task", metavar="TASK")
@click.argument("node", metavar="NODE", required=False)
@click.option("--attempt", type=click.IntRange(1), help="Which try of the node (the last one).")
@click.option("--follow", "-f", is_flag=True, help="Go on until the node has ended.")
@client_command
def logs(client: Client, task: str, node: str | None, attempt: int | None, follow: bool) -> None:
    """Print what a NODE (name, else number) of a TASK printed, or what all of its nodes did."""
    if node is not None:
        _print(client, task, node, attempt, follow)
        return
    if attempt or follow:
        raise click.UsageError("--attempt and --follow need a NODE")
    for item in client.remote.task(task)["nodes"]:
        if item.get("executor"):
            if not client.as_json:
                click.secho(f"── {printable(item['name'])}", bold=True, err=True)
            _print(client, task, item["name"], None, False)


def _print(client: Client, task: str, node: str, attempt: int | None, follow: bool) -> None:
    offset, seen = 0, b""
    while True:
        piece = client.remote.log(task, node, offset=offset, attempt=attempt)
        if client.as_json:
            seen += piece.data
        else:
            _write(piece.data)
        ended = piece.complete or not follow
        if ended and piece.next == offset:
            break
        if not piece.data:
            time.sleep(PAUSE)
        offset = piece.next
    if client.as_json:
        client.print_json({"node": node, "attempt": attempt, "log": seen.decode("utf-8", "replace")})


def _write(data: bytes) -> None:
    """Write raw bytes to a file or a pipe; on a terminal nothing that could steer it."""
    out: Any = sys.stdout.buffer
    if sys.stdout.isatty():
        data = printable(data.decode("utf-8", "replace"), keep="\n\t\r").encode()
    out.write(data)
    out.flush()
