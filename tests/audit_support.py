"""Lines of an audit that are older than the test."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gorchestrator.domain.audit import Line, joint
from gorchestrator.store.audit import end_of
from gorchestrator.store.seal import Seal, beside_database


def lines(path: Path) -> list[Line]:
    """Return all lines in a database."""
    with closing(sqlite3.connect(path)) as opened:
        return _lines(opened)


def _lines(opened: sqlite3.Connection) -> list[Line]:
    return [Line(*row) for row in opened.execute("SELECT * FROM audit ORDER BY number")]


def grow_old(path: Path, number: int, days: float) -> None:
    """Make the lines up to a number so old, signed as if they had been written then."""
    seal = Seal(beside_database(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute("BEGIN IMMEDIATE")
        end = end_of(opened)
        assert end is not None
        mac, key = end.pruned_mac, end.pruned_key
        for line in _lines(opened):
            at = round((time.time() - days * 86_400) * 1e6) if line.number <= number else line.at
            older = seal.key.line(line._replace(at=at), joint(mac, key, seal.key.name))
            opened.execute("UPDATE audit SET at = ?, mac = ? WHERE number = ?", (at, older.mac, line.number))
            mac, key = older.mac, older.key
        end = seal.key.end(end._replace(mac=mac))
        opened.execute("UPDATE audit_end SET mac = ?, sign = ?", (mac, end.sign))
        seal.keep(end)
        opened.execute("COMMIT")
