"""``gorch logs``: what nodes printed."""

import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gorchestrator.cli.client import Client, client_command
from gorchestrator.common.text import printable

if TYPE_CHECKING:
    from gorchestrator.remote import LogPiece, Remote

PAUSE = 0.3  # seconds between two looks at a log that grows


@click.command()
@click.argument("task", metavar="TASK")
@click.argument("node", metavar="NODE", required=False)
@click.option("--attempt", type=click.IntRange(1), help="Which try of the node (the last one).")
@click.option("--follow", "-f", is_flag=True, help="Go on until the node has ended, or the try that was asked for.")
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
    number, seen, write = attempt or 0, b"", _writer()
    for piece in _pieces(client.remote, task, node, attempt, follow):
        if number != piece.attempt:
            if number and not client.as_json:
                click.secho(f"── attempt {piece.attempt}", bold=True, err=True)
            number, seen = piece.attempt, b""
        if client.as_json:
            seen += piece.data
        else:
            write(piece.data)
    if client.as_json:
        client.print_json({"node": node, "attempt": number, "log": seen.decode("utf-8", "replace")})


def _pieces(remote: "Remote", task: str, node: str, attempt: int | None, follow: bool) -> Iterator["LogPiece"]:
    """Yield a log piece by piece; to follow it without an attempt means to go on with the next ones."""
    current, offset = attempt or 0, 0
    while True:
        piece = remote.log(task, node, offset=offset, attempt=current or None)
        yield piece
        current, offset, before = piece.attempt, piece.next, offset
        if piece.complete and (attempt or not follow):
            return
        if offset > before:
            continue
        if not follow:
            return
        last = remote.log(task, node, offset=offset) if piece.complete else piece
        if last.attempt > current:
            current, offset = last.attempt, 0
        elif last.complete:
            return
        else:
            time.sleep(PAUSE)


def _writer() -> Any:
    """Return what writes raw bytes to a file or a pipe, and to a terminal nothing that could steer it."""
    out = sys.stdout.buffer
    decoder = getincrementaldecoder("utf-8")("replace") if sys.stdout.isatty() else None

    def write(data: bytes) -> None:
        out.write(printable(decoder.decode(data), keep="\n\t\r").encode() if decoder else data)
        out.flush()

    return write
