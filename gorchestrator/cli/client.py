"""What the commands that talk to an orchestrator share: their options, and errors in words."""

import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gorchestrator.cli.failure import Failure
from gorchestrator.common import traceparent
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


@dataclass(frozen=True)
class Address:
    """Where the orchestrator is, and what it is shown: the options of a command, None for what was not said."""

    url: str | None
    ca: str | None
    cert: str | None
    key: str | None
    token_file: str | None


def service_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say where the orchestrator is; it gets them as ``address``."""

    def command(**options: Any) -> None:
        given = {each.name: options.pop(each.name) for each in fields(Address)}
        function(address=Address(**given), **options)

    # Before click's decorators: those leave their marks on the function that they are given.
    wrapped: Callable[..., None] = functools.update_wrapper(command, function)
    file = click.Path(exists=True, dir_okay=False)
    shown = "File with the token that the service wants (or GORCH_TOKEN_FILE; GORCH_TOKEN: the token itself)."
    cert = "Certificate to show in place of a token."
    wrapped = click.option("--token-file", envvar="GORCH_TOKEN_FILE", type=file, help=shown)(wrapped)
    wrapped = click.option("--key", envvar="GORCH_KEY", type=file, help="Key of --cert.")(wrapped)
    wrapped = click.option("--cert", envvar="GORCH_CERT", type=file, help=cert)(wrapped)
    wrapped = click.option("--ca", envvar="GORCH_CA", type=file, help="CA file, to check an https URL with.")(wrapped)
    return click.option("--url", help=f"The orchestrator's URL (or GORCH_URL; {DEFAULT_URL}).")(wrapped)


def client_command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :func:`service_options` and ``--json``; its first argument is a :class:`Client`."""

    def command(*, address: Address, as_json: bool, **options: Any) -> None:
        with connected(address) as remote:
            function(Client(remote, as_json or bool(_given().get("json"))), **options)

    wrapped: Callable[..., None] = functools.update_wrapper(command, function)
    return service_options(click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")(wrapped))


@contextmanager
def connected(address: Address) -> Iterator["Remote"]:
    """Yield the orchestrator that the user means; errors of its client end the command in words."""
    from gorchestrator.remote import Remote  # noqa: PLC0415  (requests takes its time; --help does without)

    with in_words():
        url = address.url or _given().get("url") or os.environ.get("GORCH_URL") or DEFAULT_URL
        if (address.cert is None) is not (address.key is None):
            raise Failure("a certificate and its key belong together: give both --cert and --key, or neither")
        cert = (address.cert, address.key) if address.cert and address.key else None
        with closing(Remote(url, ca=address.ca, cert=cert, token=shown_token(address.token_file))) as remote:
            yield remote


def shown_token(file: str | None) -> str | None:
    """Return the token to show: of a file, else of GORCH_TOKEN. It is in no argument, which all users can see."""
    if file is None:
        return os.environ.get("GORCH_TOKEN") or None
    try:
        found = Path(file).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            f"cannot read the token in {file}: {getattr(error, 'strerror', None) or 'it is no text'}"
        ) from error
    if not found.isprintable() or not found:
        raise Failure(f"{file} has no token: it is one line that begins with gorch_")
    return found


def trace_context() -> str | None:
    """Return the trace context that the command is run in, such as that of a node that submits a gorch."""
    return os.environ.get(traceparent.VARIABLE)


def _given() -> Mapping[str, Any]:
    """Return the options that stand before the command."""
    return click.get_current_context().find_root().obj or {}


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


def fault_lines(faults: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the first faults of a gorch, a place and a text each, as lines, and how many more there are."""
    lines = tuple(printable(f"{pointer or '/'}: {detail}") for pointer, detail in faults[:MAX_ERRORS])
    more = len(faults) - MAX_ERRORS
    return lines + ((f"… and {more} more",) if more > 0 else ())


def _faults(error: "Refused") -> tuple[str, ...]:
    return fault_lines([(str(item.get("pointer") or ""), str(item.get("detail", ""))) for item in error.errors])
