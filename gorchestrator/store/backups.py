"""Backups of a database, taken while it is in use, and their way back into its place."""

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gorchestrator.common.states import State
from gorchestrator.domain.access import Token
from gorchestrator.domain.audit import SERVICE, Act, Action, End, Who
from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.records import EPOCH_BITS
from gorchestrator.store import connection as connections
from gorchestrator.store import damage, schema, tokens
from gorchestrator.store.audit import Auditor, end_of
from gorchestrator.store.files import BESIDE, beside, remove, size, sync
from gorchestrator.store.seal import Seal, beside_database
from gorchestrator.store.usage import Usage

_STEP = 256  # pages (1 MiB) that are copied at once
# What a restored journal does is not what the one that was backed up has done since: its events have numbers that none
# of those had, so that who has seen those is told to look anew, and its runs beat whoever still runs them.
_BEGIN_ANEW = (
    "UPDATE counter SET seq = ((seq >> :bits) + 1) << :bits",
    "UPDATE tasks SET fence = fence + :more WHERE state < :final",
)
_ASKED = {"bits": EPOCH_BITS, "more": 1_000_000, "final": int(State.SUCCESS)}


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did: the schema of what is in place now, and where the file that was there is kept, if any.

    ``tokens``: those that open the service now and were perhaps revoked since the backup, which nobody could look up.
    ``unknown``: no token is in it, though some may have been made: nobody could look that up either.
    """

    revision: str
    kept: Path | None
    tokens: Sequence[Token]
    unknown: bool


def backup(path: Path, target: Path, *, force: bool = False) -> int:
    """Write a copy of a database, as of one moment, to one file of mode 600; return its size in bytes.

    The file appears when it is complete and was read through. Raises StoreError.
    """
    _not_its_own(path, target)
    if target.is_dir():
        raise StoreError(f"{target} is a directory; name a file in it.")
    if target.exists() and not force:
        raise StoreError(f"{target} is there already; choose another name, or --force to replace it.")
    if not path.exists():
        raise StoreError(f"There is no database {path}; is this the data directory of the service (--data)?")
    with Usage(path), _new_file(target, "The backup") as new:
        otherwise = f"The database {path} is damaged, and no backup was written: restore one from before"
        _copy(path, new, otherwise)
        _sound(new, otherwise)
        _in_place(new, target)
    return target.stat().st_size


def restore(path: Path, source: Path, who: Who = SERVICE, audit_key: Path | None = None) -> Restored:
    """Put a backup in the place of a database that nobody uses; what was there is kept beside it. Raises StoreError.

    The audit of the backup goes on with a line that says so: ``who`` did it, and ``audit_key`` is the file of the key
    that signs it, by default beside the database.
    """
    if not source.is_file():
        raise StoreError(f"There is no file {source}; name one that `gorch backup` has written.")
    _not_its_own(path, source)
    with Usage(path, alone=True), _new_file(path, "The database") as new:
        otherwise = f"The backup {source} is damaged, and nothing was changed: take another one"
        _copy(source, new, otherwise)
        _sound(new, otherwise)
        revision = schema.known(new, source)
        _begin_anew(new)
        doubtful, unknown = _tokens(new, path)
        seal = Seal(audit_key or beside_database(path))
        end = _audited(new, seal, who, source, doubtful) if revision == schema.HEAD else End()
        kept = _put_aside(path)
        _in_place(new, path)
        seal.keep(end, back=True)
        damage.note(path).unlink(missing_ok=True)
    return Restored(revision, kept, doubtful, unknown)


def _not_its_own(path: Path, other: Path) -> None:
    if other.absolute() in {beside(path.absolute(), suffix) for suffix in ("", *BESIDE)}:
        raise StoreError(f"{other} is the database of the service itself; name another file.")


@contextmanager
def _new_file(target: Path, what: str) -> Iterator[Path]:
    """Make an empty file of mode 600 in the folder of another one; it is gone in the end, unless it was renamed."""
    new = None
    try:
        handle, name = tempfile.mkstemp(prefix=f"{target.name}.", suffix=".new", dir=target.parent)
        os.close(handle)
        new = Path(name)
        yield new
    except OSError as error:
        raise StoreError(f"{what} {target} cannot be written: {error.strerror}.") from error
    finally:
        if new is not None:
            remove(new)


def _copy(source: Path, new: Path, otherwise: str) -> None:
    """Copy a database, with what is in its -wal, in small steps, between which its writers are not held up."""
    try:
        with closing(_reading(source)) as opened, closing(sqlite3.connect(new, isolation_level=None)) as copy:
            opened.execute("BEGIN")  # one snapshot: else each commit would make the copy start again
            opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
            opened.backup(copy, pages=_STEP)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without -wal
    except sqlite3.Error as error:
        if connections.is_damage(error):
            raise StoreError(f"{otherwise}. ({error})") from error
        guilty = new if connections.is_full(error) else source
        raise StoreError(connections.explain(error, guilty)) from error


def _reading(source: Path) -> sqlite3.Connection:
    """Open a database for reading; one without -wal is not touched at all, so it may lie on what is read-only."""
    if size(beside(source, "-wal")):
        return connections.reading(source, wait=10)
    return sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro&immutable=1", isolation_level=None, uri=True)


def _sound(new: Path, otherwise: str) -> None:
    if fault := damage.faults(new):
        raise StoreError(f"{otherwise}. ({fault})")


def _begin_anew(new: Path) -> None:
    with closing(sqlite3.connect(new)) as opened, opened:
        for statement in _BEGIN_ANEW:
            opened.execute(statement, _ASKED)


def _tokens(new: Path, old: Path) -> tuple[list[Token], bool]:
    """Have a backup know what became of tokens since, and whether it has none though there may be some.

    Returns those that are valid where it cannot be known what became of them.
    """
    with closing(sqlite3.connect(new)) as opened, opened:
        if opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'tokens'").fetchone() is None:
            return [], True
        sure = old.exists() and tokens.carry_over(opened, old)
        found = tokens.read(opened)
        return [] if sure else [each for each in found if each.valid(time.time())], not (sure or found)


def _audited(new: Path, seal: Seal, who: Who, source: Path, doubtful: Sequence[Token]) -> End:
    """Write the line of a restore, which may have fewer lines before it than were written; return the end."""
    last = seal.outside
    with closing(sqlite3.connect(new)) as opened, opened:
        before = end_of(opened) or End()
        details: dict[str, object] = {"lines": before.number, "were": None if last is None else last.number}
        if doubtful:
            details["tokens"] = [each.id for each in doubtful]
        Auditor(seal).append(opened, Act(who, Action.RESTORE, source.name, details), older=True)
        return end_of(opened) or End()


def _put_aside(path: Path) -> Path | None:
    """Rename a database with all that belongs to it; return its new name, None if there was none."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
    kept = beside(path, f".{now}")
    found = [suffix for suffix in (*BESIDE, "") if beside(path, suffix).exists()]
    for suffix in found:
        beside(path, suffix).rename(beside(kept, suffix))
    return kept if found else None


def _in_place(new: Path, target: Path) -> None:
    sync(new)
    new.rename(target)
    sync(target.parent)
