"""Ended jobs that are kept: when each went there, what it takes on the disk, and which of them are beyond the limits.

Beside the archive, which moves directories, because ``gorch gc --dry-run`` judges in the same way and moves nothing.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from executor import names

HOUR = 3600
HOUR_FORMAT = "%Y-%m-%dT%H"  # UTC
SETTLED = 5.0  # seconds that who started a job by POST has to see how it ended, whatever the limits
_AN_HOUR = re.compile(r"\d{4}-\d\d-\d\dT\d\d")
_BLOCK = 512  # bytes, whatever the file system's blocks are


@dataclass(frozen=True, slots=True)
class Keep:
    """How many ended jobs are kept. 0 of ``count`` and ``size`` is without limit, 0 of ``hours`` is not."""

    hours: float  # after the hour in which it ended
    count: int = 0
    size: int = 0  # bytes on the disk, all together

    def last_hour(self, now: float) -> str:
        """Return the last hour whose jobs are too old."""
        return time.strftime(HOUR_FORMAT, time.gmtime(now - self.hours * HOUR - HOUR))


@dataclass(frozen=True, slots=True, order=True)
class Kept:
    """An ended job. They are in order of their ends."""

    hour: str
    at: float  # seconds since the epoch when it was put away
    id: str
    size: int  # bytes that its directory takes on the disk

    def to_json(self, path: Path, now: float) -> dict[str, Any]:
        """Return what is told of it; ``path`` is that of all hours."""
        return asdict(self) | {"path": str(path / self.hour / self.id), "age": max(0.0, round(now - self.at, 3))}


def beyond(kept: Iterable[Kept], count: int, size: int, keep: Keep, now: float) -> Iterator[Kept]:
    """Yield those that are not to be kept, of ``count`` jobs of ``size`` bytes, which come in order."""
    too_old = keep.last_hour(now)
    for each in kept:
        too_many = bool(keep.count) and count > keep.count
        too_large = bool(keep.size) and size > keep.size
        if each.hour > too_old and not ((too_many or too_large) and each.at < now - SETTLED):
            return
        count -= 1
        size -= each.size
        yield each


def hours(done: Path) -> list[str]:
    """Return the hours in which jobs were put away; what else lies there is not ours."""
    return sorted(name for name in os.listdir(done) if _AN_HOUR.fullmatch(name))


def measured(done: Path, hour: str, name: str, at: float | None = None) -> Kept:
    """Return an ended job by its directory, which may lack anything. ``at``: when it was put away, if that is known."""
    path = f"{done}/{hour}/{name}"
    if at is None:
        try:
            os.lstat(f"{path}/{names.NODE}")
            at = os.lstat(path).st_ctime  # a job cannot set it, and being moved does
        except OSError:
            at = 0.0  # nobody can see it any more, so it goes first
    return Kept(hour, at, name, _size(path))


def scan(done: Path) -> list[Kept]:
    """Return all of them in order, each looked at: for a command, as it takes its time."""
    found = []
    for hour in hours(done):
        with suppress(FileNotFoundError, NotADirectoryError):  # it is being dropped; it is no directory
            found += [measured(done, hour, name) for name in os.listdir(done / hour)]
    return sorted(found)


def _size(path: str) -> int:
    """Return the bytes that a file or directory takes on the disk, with all that is in it and can be seen."""
    try:
        found = os.lstat(path).st_blocks * _BLOCK
    except OSError:
        return 0
    folders = [path]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                with suppress(OSError):  # somebody else removes it
                    found += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
    return found
