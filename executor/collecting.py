"""``python -m executor --gc``: drop ended jobs now, or tell which would go; ``gorch gc --executor`` asks for this.

It judges as the service does, beside it or without it.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from executor import names
from executor.archive import Archive
from executor.kept import Keep, Kept, beyond, scan


def preview(data: Path, keep: Keep) -> dict[str, Any]:
    """Return the directories that would go, oldest first, and what is kept in all. Changes nothing."""
    done, now = data / names.DONE, time.time()
    found = scan(done) if done.is_dir() else []
    gone = list(beyond(found, len(found), _bytes(found), keep, now))
    told = [each.to_json(done, now) for each in gone]
    return _answer(found, {"dry_run": True, "jobs": len(gone), "bytes": _bytes(gone), "directories": told})


def collect(data: Path, keep: Keep) -> dict[str, Any]:
    """Drop what is beyond the limits; return how much that was, what is kept now, and what could not be dropped."""
    faults: list[str] = []
    if not (data / names.DONE).is_dir():  # nothing is made where no executor works
        return preview(data, keep) | {"dry_run": False, "faults": faults}
    archive = Archive(data, keep.hours, keep.count, keep.size)
    try:
        done = archive.prune(faults)
    finally:
        archive.close()
    return _answer(scan(archive.done), {"dry_run": False, "jobs": done.count, "bytes": done.size, "faults": faults})


def _answer(found: list[Kept], about: Mapping[str, Any]) -> dict[str, Any]:
    return {**about, "kept": len(found), "kept_bytes": _bytes(found)}


def _bytes(found: list[Kept]) -> int:
    return sum(each.size for each in found)
