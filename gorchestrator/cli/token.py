"""``gorch token``: make and revoke what opens the API, in the database itself, so the first one needs no other."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gorchestrator.cli.db import config, data_option, database, in_words, operator
from gorchestrator.cli.failure import Failure
from gorchestrator.common.timestamps import to_wire

if TYPE_CHECKING:
    from gorchestrator.domain.access import Token

_DAY = 86_400.0  # seconds
_NAME_MOST = 100  # characters
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


@click.group()
def token() -> None:
    """Make, list and revoke the tokens that open the API."""


@token.command()
@click.option("--name", required=True, help="Whose it is: that is who has done what is done with it.")
@click.option(
    "--role",
    type=click.Choice(["viewer", "operator", "admin"]),
    required=True,
    help="viewer: read; operator: run, cancel and resolve too; admin: everything.",
)
@click.option("--label", metavar="KEY=VALUE", help="Only for tasks with this label; those that it submits get it.")
@click.option("--days", type=click.IntRange(1, 36500), help="How long it holds (without end).")
@json_option
@data_option
def create(name: str, role: str, label: str | None, days: int | None, as_json: bool, data: Path | None) -> None:
    """Make a token and print it, this once: what is kept of it does not open anything."""
    from gorchestrator.domain.access import Role, Token, digest, make_token  # noqa: PLC0415  (--help does without)
    from gorchestrator.store import tokens  # noqa: PLC0415

    if not name.strip() or len(name) > _NAME_MOST or not name.isprintable():
        raise Failure(f"--name {name!r}: write 1 to {_NAME_MOST} characters that can be printed")
    now = round(time.time(), 6)  # as exactly as it is kept
    token_id, text = make_token()
    made = Token(
        id=token_id,
        name=name,
        digest=digest(text),
        role=Role.named(role),
        label=None if label is None else _label(label),
        made_at=now,
        expires_at=None if days is None else now + days * _DAY,
    )
    found = config(data)
    with in_words():
        tokens.add(found.database, made, operator(), found.audit_key)
    if _in_json(as_json):
        click.echo(json.dumps({"token": text, **_document(made)}))
        return
    click.echo(text)
    click.echo("It is not shown again. Keep it in a file of mode 600 and name that in GORCH_TOKEN_FILE.", err=True)


@token.command("list")
@json_option
@data_option
def list_tokens(as_json: bool, data: Path | None) -> None:
    """List all tokens that were ever made, without what opens anything."""
    from gorchestrator.store import tokens  # noqa: PLC0415

    with in_words():
        found = [_document(each) for each in tokens.tokens(database(data))]
    if _in_json(as_json):
        click.echo(json.dumps(found))
        return
    from gorchestrator.cli import tables  # noqa: PLC0415  (rich takes its time)

    tables.show_tokens(found)


@token.command()
@click.argument("token_id", metavar="ID")
@json_option
@data_option
def revoke(token_id: str, as_json: bool, data: Path | None) -> None:
    """End a token, by the ID that `gorch token list` shows; running services know it within two seconds."""
    from gorchestrator.store import tokens  # noqa: PLC0415

    settings = config(data)
    with in_words():
        found = tokens.revoke(settings.database, token_id, operator(), settings.audit_key)
    if found is None:
        raise Failure(f"there is no token {token_id!r}; gorch token list has them")
    click.echo(json.dumps(_document(found)) if _in_json(as_json) else f"token {found.id} of {found.name} is revoked")


def _in_json(here: bool) -> bool:
    return here or bool(click.get_current_context().find_root().obj["json"])


def _label(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Failure(f"--label {text!r}: write KEY=VALUE")
    return key, value


def _document(found: "Token") -> dict[str, Any]:
    state = "valid" if found.valid(time.time()) else "revoked" if found.revoked_at is not None else "expired"
    return {
        "id": found.id,
        "name": found.name,
        "role": found.role.label,
        "label": None if found.label is None else "=".join(found.label),
        "state": state,
        "made": to_wire(found.made_at),
        "expires": to_wire(found.expires_at),
        "revoked": to_wire(found.revoked_at),
    }
