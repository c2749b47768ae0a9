"""The table of tokens: read by the services, changed by ``gorch token``, with or without a service beside it."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select, update

from gorchestrator.domain.access import Role, Token
from gorchestrator.domain.audit import Act, Action, Who
from gorchestrator.domain.errors import NameTaken
from gorchestrator.store import connection as connections
from gorchestrator.store import rows, schema, tables
from gorchestrator.store.audit import Auditor
from gorchestrator.store.sql import inserting, named
from gorchestrator.store.visiting import WAIT, audited, used

_COLUMNS = tables.tokens.c
_ALL = named(select(tables.tokens).order_by(_COLUMNS.made_at, _COLUMNS.id))
_REVOKE = named(
    update(tables.tokens)
    .where(_COLUMNS.id == bindparam("wanted"), _COLUMNS.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_INSERT = inserting(tables.tokens)


def read(connection: sqlite3.Connection) -> list[Token]:
    """Return all tokens that were ever made, in the order in which they were."""
    return [_token(row) for row in connection.execute(_ALL)]


def tokens(path: Path) -> list[Token]:
    """Return all tokens in a database file. Raises StoreError."""
    with used(path), closing(connections.reading(path, WAIT)) as connection:
        return read(connection)


def add(path: Path, token: Token, who: Who, audit_key: Path) -> None:
    """Keep a new token; the database is made if it is not there, so the first one can come before the service does.

    ``audit_key``: the file of the key that signs the line of the audit. Raises NameTaken, so that a name tells who
    has done something.
    """

    def insert(connection: sqlite3.Connection, auditor: Auditor) -> None:
        for each in read(connection):
            if each.name == token.name and each.valid(token.made_at):
                raise NameTaken(each.name, each.id)
        _INSERT.run(connection, [_row(token)])
        details = {"name": token.name, "role": token.role.label, "label": token.label}
        auditor.append(connection, Act(who, Action.TOKEN_CREATE, token.id, details))

    schema.ensure(path)
    audited(path, audit_key, insert)


def revoke(path: Path, token_id: str, who: Who, audit_key: Path) -> Token | None:
    """End a token, at once for whoever asks from now on; return it as it is then. None: there is none."""

    def end(connection: sqlite3.Connection, auditor: Auditor) -> Token | None:
        changed = connection.execute(_REVOKE, {"wanted": token_id, "now": rows.to_micro(time.time())}).rowcount
        found = next((each for each in read(connection) if each.id == token_id), None)
        if changed and found is not None:
            details = {"name": found.name, "role": found.role.label}
            auditor.append(connection, Act(who, Action.TOKEN_REVOKE, token_id, details))
        return found

    return audited(path, audit_key, end)


def carry_over(connection: sqlite3.Connection, old: Path) -> bool:
    """Add what another database knows of tokens, made and revoked; return whether it knows of those that are here.

    So a backup that comes back opens nothing that has ended since, and closes nobody out who has got in since.
    """
    try:
        with closing(connections.reading(old, WAIT)) as opened:
            known = read(opened)
    except sqlite3.Error:
        return False
    here = {each.id for each in read(connection)}
    if not here <= {each.id for each in known}:  # it is not the one that the backup was made of
        return False
    for each in known:
        if each.id not in here:
            _INSERT.run(connection, [_row(each)])
        elif each.revoked_at is not None:
            connection.execute(_REVOKE, {"wanted": each.id, "now": rows.to_micro(each.revoked_at)})
    return True


def _row(token: Token) -> tuple[object, ...]:
    label = None if token.label is None else json.dumps(token.label, ensure_ascii=False)
    times = (rows.to_micro(token.made_at), rows.to_micro(token.expires_at), rows.to_micro(token.revoked_at))
    return (token.id, token.name, token.digest, int(token.role), label, *times)


def _token(row: tuple[Any, ...]) -> Token:
    token_id, name, digest, role, label, made_at, expires_at, revoked_at = row
    return Token(
        id=token_id,
        name=name,
        digest=digest,
        role=Role(role),
        label=None if label is None else tuple(json.loads(label)),
        made_at=rows.from_micro(made_at) or 0.0,
        expires_at=rows.from_micro(expires_at),
        revoked_at=rows.from_micro(revoked_at),
    )
