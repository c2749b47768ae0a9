"""All job directories: those that matter (``live``), those of ended jobs by hour (``done``), and what outlives these.

At its start the executor reads only ``live``. Whole hours of ``done`` are dropped; of their jobs only ids stay, so
that a late PUT cannot start one again.
"""

import os
import shutil
import sqlite3
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executor import kept, names
from executor.book import Book, slices
from executor.folder import Folder
from executor.kept import HOUR_FORMAT, Keep

_AT_ONCE = 100  # jobs that are measured, or dropped, between two writes to the book


@dataclass(slots=True)
class Dropped:
    """What was dropped: jobs, and about how many bytes they took on the disk."""

    count: int = 0
    size: int = 0


class Archive:
    """The folder ``jobs`` of the data directory."""

    def __init__(self, data: Path, keep_done: float, keep_count: int = 0, keep_size: int = 0) -> None:
        """Keep ended jobs for so many hours, so many of them, and so many bytes; 0 of the last two is without limit."""
        self.keep = Keep(keep_done, keep_count, keep_size)
        self.live, self.done = data / names.LIVE, data / names.DONE
        for folder in (self.live, self.done):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.book = Book(data / names.TOMBS)
        self._new: deque[tuple[str, str, float]] = deque()  # hour, id, time of what was put away and not measured
        self._listed = False  # whether the book has what was there when this process began
        self._surplus = False  # whether more is kept than the limits allow
        self.changed = False  # whether there are other limits than when all was looked at

    def use(self, keep: Keep) -> None:
        """Keep to other limits from now on."""
        self.keep, self.changed = keep, True

    def create(self, job_id: str, node: Mapping[str, Any], *, claimed: bool = False) -> Folder:
        """Make the directory of a new job; ``claimed``: of one that is never to be started."""
        return Folder.create(f"{self.live}/{job_id}", node, claimed=claimed)

    def folders(self) -> Iterator[tuple[str, Folder]]:
        """Return the ids and directories of all live jobs."""
        for name in sorted(os.listdir(self.live)):
            yield name, Folder(f"{self.live}/{name}")

    def put_away(self, folder: Folder) -> None:
        """Move an ended job out of ``live``."""
        now, name = time.time(), os.path.basename(folder.path)
        hour = time.strftime(HOUR_FORMAT, time.gmtime(now))
        os.makedirs(f"{self.done}/{hour}", mode=0o700, exist_ok=True)  # each time: who makes room may have removed it
        target = f"{self.done}/{hour}/{name}"
        try:
            os.rename(folder.path, target)
        except PermissionError:
            os.chmod(folder.path, 0o700)  # the job has barred it
            os.rename(folder.path, target)
        except FileNotFoundError:
            os.mkdir(target, 0o700)  # the job has removed it; what is left is that there was one
        folder.path = target
        self._new.append((hour, name, now))

    def discard(self, folder: Folder) -> None:
        """Drop a directory that does not say what was asked for: it was never answered, or the machine lost power.

        Of what may have been started the id is kept, so that it is not started again.
        """
        if folder.claimed_by() or folder.result():
            self.put_away(folder)
        elif error := remove(Path(folder.path)):
            raise error

    def find_done(self, job_id: str) -> Folder | None:
        """Return the directory of an ended job that was put away and is kept."""
        for hour in os.listdir(self.done):
            path = f"{self.done}/{hour}/{job_id}"
            if os.path.exists(path):
                return Folder(path)
        return None

    def was_dropped(self, job_id: str) -> bool:
        """Whether a job of this id ended so long ago that only its id is left."""
        return self.book.was_dropped(job_id)

    @property
    def restless(self) -> bool:
        """Whether :meth:`trim` may have something to do."""
        return bool(self._new) or self._surplus or not self._listed

    def prune(self, faults: list[str] | None = None) -> Dropped:
        """Drop ended jobs that are old enough, then those that are too many or too large; return what that was.

        What cannot be dropped is tried again the next time; ``faults`` gets why not. For a native thread: it may take
        long.
        """
        faults = [] if faults is None else faults
        done = Dropped()
        self.changed = False
        self._note()
        limit = self.keep.last_hour(time.time())
        for hour in kept.hours(self.done):
            if hour <= limit:
                try:
                    self._drop(hour, os.listdir(self.done / hour), done, faults)
                except (OSError, sqlite3.Error) as error:
                    faults.append(f"{self.done / hour}: {error}")
        self._drop_surplus(done, faults)
        return done

    def trim(self, faults: list[str]) -> Dropped:
        """Drop the oldest of ended jobs that are too many or too large; return what that was.

        Only what was put away since the last time is looked at. For a native thread.
        """
        done = Dropped()
        self._note()
        self._drop_surplus(done, faults)
        return done

    def _note(self) -> None:
        """Write down what each ended job takes that is not in the book."""
        listed, self._listed = self._listed, False
        self._measure([self._new.popleft() for _ in range(len(self._new))])
        if not listed:
            self._list()
        self._listed = True  # after a fault all is listed again

    def _list(self) -> None:
        """Make the book say what is there: somebody may have made room, or an executor before this one died."""
        hours = kept.hours(self.done)
        for hour in {*hours, *self.book.hours()}:
            there = _names(self.done / hour)
            known = self.book.ids(hour)
            self.book.strike(hour, known - there)
            self._measure([(hour, name, None) for name in there - known])

    def _measure(self, found: Sequence[tuple[str, str, float | None]]) -> None:
        for some in slices(found, _AT_ONCE):
            self.book.add([kept.measured(self.done, *each) for each in some])

    def _drop_surplus(self, done: Dropped, faults: list[str]) -> None:
        surplus, self._surplus = self.book.surplus(self.keep, time.time())
        for some in slices(surplus, _AT_ONCE):
            for hour in sorted({each.hour for each in some}):
                self._drop(hour, [each.id for each in some if each.hour == hour], done, faults)

    def _drop(self, hour: str, ids: list[str], done: Dropped, faults: list[str]) -> None:
        for some in slices(ids, _AT_ONCE):
            done.size += self.book.drop(hour, some)
            found = [str(error) for each in some if (error := remove(self.done / hour / each))]
            done.count += len(some) - len(found)
            faults += found
        if hour != time.strftime(HOUR_FORMAT, time.gmtime()):  # what ends now goes there
            with suppress(OSError):
                os.rmdir(self.done / hour)

    def close(self) -> None:
        """Let go of the book."""
        self.book.close()


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return set()


def remove(path: Path) -> OSError | None:
    """Remove a job's directory, whatever the job made of it, such as a cache that is read-only; or return the fault."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return None
        with suppress(OSError):
            os.unlink(path / names.NODE)  # first: what is half removed counts as absent
        with suppress(PermissionError):
            shutil.rmtree(path)
            return None
        path.chmod(0o700)
        for folder, below, _ in os.walk(path):
            for name in (os.path.join(folder, name) for name in below):
                if not os.path.islink(name):
                    os.chmod(name, 0o700)
        shutil.rmtree(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
    return None
