"""The journal: whether it is sound, of which version, who uses it, and what was left beside it."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gorchestrator.doctor.finding import Finding, Findings
from gorchestrator.domain.errors import StoreError
from gorchestrator.store import connection as connections
from gorchestrator.store import damage, files, schema

_CHECK = "database"
_BELONGING = ("-wal", "-shm", ".lock", ".gc", ".traces", ".damaged")


def check(path: Path) -> Iterator[Finding]:
    """Check a journal that may be in use; it is only read."""
    told = Findings(_CHECK, path)
    yield from _leftovers(path)
    if not path.exists():
        log = files.size(files.beside(path, "-wal"))
        yield _gone(path, told) if log else told.ok("is not there yet; the first start makes it")
        return
    if not files.size(path):
        yield told.fault("the file is empty", _restore(path))
        return
    yield _mode(path)
    try:
        yield _version(path, told)
        yield _sound(path, told)
    except (StoreError, sqlite3.Error) as error:
        says = str(error) if isinstance(error, StoreError) else connections.explain(error, path)
        yield told.fault(says, _restore(path) if connections.is_damage(error) else "look at the file and its disk")


def _restore(path: Path) -> str:
    return f"stop the service and restore a backup: gorch restore FILE --data {path.parent}"


def _gone(path: Path, told: Findings) -> Finding:
    return told.fault("the file is gone, only its -wal is there", _restore(path))


def _mode(path: Path) -> Finding:
    told, mode = Findings("permissions", path), stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return told.fault(f"has mode {mode:03o}: others may read what users submit", f"chmod 600 {path}")
    return told.ok(f"has mode {mode:03o}")


def _version(path: Path, told: Findings) -> Finding:
    found = schema.revision(path)
    if found == schema.HEAD:
        return told.ok(f"has the schema {found} of this version")
    if found in (None, *schema.REVISIONS):
        return told.fault(
            f"has the schema {found or 'of nothing'} of an older version; this one needs {schema.HEAD}",
            "stop the service, back the file up (gorch backup FILE), then: gorch db upgrade",
        )
    return told.fault(
        f"has the schema {found} of a newer version; this one knows {schema.HEAD}",
        "install the version that made it, or restore a backup from before it was upgraded",
    )


def _sound(path: Path, told: Findings) -> Finding:
    if damage.note(path).exists():
        return told.fault("was found damaged", _restore(path))
    with closing(connections.reading(path, wait=10)) as connection:
        found = [text for (text,) in connection.execute("PRAGMA quick_check(3)")]
    if found == ["ok"]:
        return told.ok("SQLite's quick check finds no damage")
    return told.fault(f"is damaged: {'; '.join(' '.join(text.split()) for text in found)}", _restore(path))


def _leftovers(path: Path) -> Iterator[Finding]:
    """Tell of files that a command which was killed, or a restore, has left."""
    own = {path.name, *(f"{path.name}{suffix}" for suffix in _BELONGING)}
    for file in sorted(path.parent.glob(f"{path.name}*")):
        if file.name in own or file.name.endswith(files.BESIDE):
            continue
        told = Findings("leftovers", file)
        if file.name.endswith(".new"):
            yield told.warning("was left by a command that did not come to its end", f"rm {file}")
        else:
            yield told.warning(
                f"is kept from a restore and takes {files.size(file) / 2**20:.0f} MiB",
                f"when it is not needed: rm {file}*",
            )
