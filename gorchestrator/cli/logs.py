"""``gorch logs``: what nodes printed."""

import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gorchestrator.cli.client import Client, client_command
from gorchestrator.common.text import printable

if TYPE_CHECKING:
    from gorchestrator.remote import LogPiece, Remote

PAUSE = 0.3  # seconds between two looks whether another attempt has begun
LONG_POLL = 20.0  # seconds for which one request waits for more of a log


@click.command()
@click.argument("task", metavar="TASK")
@click.argument("node", metavar="NODE", required=False)
@click.option("--attempt", type=click.IntRange(1), help="Which try of the node (the last one).")
@click.option("--tail", type=click.IntRange(0), metavar="N", help="Only the last N lines, and what follows.")
@click.option("--follow", "-f", is_flag=True, help="Go on until the node has ended, or the try that was asked for.")
@client_command
def logs(client: Client, task: str, node: str | None, attempt: int | None, tail: int | None, follow: bool) -> None:
    """Print what a NODE (name, else number) of a TASK printed, or what all of its nodes did."""
    if node is not None:
        _print(client, task, node, _Wanted(attempt, tail, follow))
        return
    if attempt or follow:
        raise click.UsageError("--attempt and --follow need a NODE")
    for item in client.remote.task(task)["nodes"]:
        if item.get("executor"):
            if not client.as_json:
                click.secho(f"── {printable(item['name'])}", bold=True, err=True)
            _print(client, task, item["name"], _Wanted(None, tail, follow=False))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which attempt (None: the last one), its last lines only, and whether to go on."""

    attempt: int | None
    tail: int | None
    follow: bool


def _print(client: Client, task: str, node: str, wanted: _Wanted) -> None:
    number, seen, write = wanted.attempt or 0, b"", _writer()
    for piece in _pieces(client.remote, task, node, wanted):
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


def _pieces(remote: "Remote", task: str, node: str, wanted: _Wanted) -> Iterator["LogPiece"]:
    """Yield a log piece by piece; to follow it without an attempt means to go on with the next ones."""
    current, offset, tail = wanted.attempt or 0, 0, wanted.tail
    wait = LONG_POLL if wanted.follow else 0
    while True:
        piece = remote.log(task, node, offset=offset, attempt=current or None, tail=tail, wait=wait)
        yield piece
        grown = piece.next > offset or tail is not None
        current, offset, tail = piece.attempt, piece.next, None
        if piece.complete and (wanted.attempt or not wanted.follow):
            return
        if grown:
            continue
        if not wanted.follow:
            return
        last = remote.log(task, node, offset=offset) if piece.complete else piece
        if last.attempt > current:
            current, offset = last.attempt, 0
        elif last.complete:
            return
        elif piece.complete or not current:  # between two attempts, or before the first
            time.sleep(PAUSE)


def _writer() -> Any:
    """Return what writes raw bytes to a file or a pipe, and to a terminal nothing that could steer it."""
    out = sys.stdout.buffer
    decoder = getincrementaldecoder("utf-8")("replace") if sys.stdout.isatty() else None

    def write(data: bytes) -> None:
        out.write(printable(decoder.decode(data), keep="\n\t\r").encode() if decoder else data)
        out.flush()

    return write
