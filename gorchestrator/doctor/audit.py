"""The audit: whether only its owner can read its key, and whether all its lines are as they were written."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gorchestrator.doctor.finding import Finding, Findings
from gorchestrator.domain.errors import StoreError
from gorchestrator.store import auditing, schema
from gorchestrator.store.seal import read_key

_MEANING = "docs/audit.rst says what that means; gorch audit --verify tells it again"


def check(path: Path, key: Path) -> Iterator[Finding]:
    """Check the audit of a journal that may be in use; it is only read."""
    told = Findings("audit", key)
    try:
        read_key(key)
    except StoreError as error:
        yield told.fault(str(error), _MEANING)
        return
    if key.exists():
        yield _mode(key)
    with suppress(StoreError, sqlite3.Error):  # what is wrong with the journal is told by its own checks
        if schema.revision(path) == schema.HEAD:
            verdict = auditing.check(path, key)
            fault = verdict.fault
            yield told.ok(f"holds: {verdict.lines} lines") if fault is None else told.fault(fault.text, _MEANING)


def _mode(key: Path) -> Finding:
    told, mode = Findings("permissions", key), stat.S_IMODE(key.stat().st_mode)
    if mode & 0o077:
        return told.fault(f"has mode {mode:03o}: others could write lines of the audit", f"chmod 600 {key}")
    return told.ok(f"has mode {mode:03o}")
