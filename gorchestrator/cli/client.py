"""What the commands that talk to an orchestrator share: their options, and errors in words."""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from gorchestrator.cli.failure import Failure
from gorchestrator.common.text import printable

if TYPE_CHECKING:
    from gorchestrator.remote import Refused, Remote

DEFAULT_URL = "http://127.0.0.1:8080"
MAX_ERRORS = 20  # faults of a gorch that are printed


@dataclass(frozen=True)
class Client:
    """The orchestrator that a command talks to, and how it answers its user."""

    remote: "Remote"
    as_json: bool

    def print_json(self, value: Any) -> None:
        """Print a JSON document."""
        click.echo(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))

    def print_line(self, value: Any) -> None:
        """Print a JSON document as one line of many."""
        click.echo(json.dumps(value, ensure_ascii=False))


def _options(command: Callable[..., None]) -> Callable[..., None]:
    file = click.Path(exists=True, dir_okay=False)
    command = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(command)
    command = click.option("--ca", envvar="GORCH_CA", type=file, help="CA file, to check an https URL with.")(command)
    return click.option("--url", help=f"The orchestrator's URL (or GORCH_URL; {DEFAULT_URL}).")(command)


def client_command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options ``--url``, ``--ca`` and ``--json``, and a :class:`Client` as its first argument."""

    def command(*, url: str | None, ca: str | None, as_json: bool, **options: Any) -> None:
        from gorchestrator.remote import Remote  # noqa: PLC0415  (requests takes its time; --help does without)

        given = click.get_current_context().find_root().obj or {}
        with in_words():
            remote = Remote(url or given.get("url") or os.environ.get("GORCH_URL") or DEFAULT_URL, ca=ca)
            with closing(remote):
                function(Client(remote, as_json or bool(given.get("json"))), **options)

    # Before click's decorators: those leave their marks on the function that they are given.
    wrapped: Callable[..., None] = functools.update_wrapper(command, function)
    return _options(wrapped)


@contextmanager
def in_words() -> Iterator[None]:
    """Turn errors of the client into one line, with the faults of a gorch below it."""
    from gorchestrator.remote import Refused, RemoteError  # noqa: PLC0415

    try:
        yield
    except Refused as error:
        again = () if error.retry_after is None else (f"It may be tried again in {error.retry_after:g} s.",)
        raise Failure(f"refused: {printable(str(error))}", _faults(error) + again) from error
    except RemoteError as error:
        raise Failure(printable(str(error))) from error


def _faults(error: "Refused") -> tuple[str, ...]:
    lines = [f"{item.get('pointer') or '/'}: {item.get('detail', '')}" for item in error.errors]
    more = len(lines) - MAX_ERRORS
    return tuple(printable(line) for line in lines[:MAX_ERRORS]) + ((f"… and {more} more",) if more > 0 else ())
