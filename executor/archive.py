"""All job directories: those that matter (``live``), those of ended jobs by hour (``done``), and what outlives these.

At its start the executor reads only ``live``. Whole hours of ``done`` are dropped; of their jobs only ids stay, so
that a late PUT cannot start one again.
"""

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path
from typing import Any

from executor import names
from executor.files import private
from executor.folder import Folder

HOUR = 3600
HOUR_FORMAT = "%Y-%m-%dT%H"  # UTC
REMEMBERED = 30 * 24 * HOUR  # seconds that the ids of dropped jobs, and fences, are kept


class Archive:
    """The folder ``jobs`` of the data directory."""

    def __init__(self, data: Path, keep_done: float) -> None:
        """``keep_done``: how many hours ended jobs are kept."""
        self.keep = keep_done * HOUR
        self.live, self.done = data / names.LIVE, data / names.DONE
        for folder in (self.live, self.done):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.tombs = data / names.TOMBS
        FileIO(self.tombs, "a", opener=private).close()  # else SQLite makes one that others can read
        self.lookup = self._database()
        self.lookup.execute("create table if not exists tombs (id text primary key, at real) without rowid")
        self.any_dropped = self.lookup.execute("select 1 from tombs limit 1").fetchone() is not None

    def create(self, job_id: str, node: Mapping[str, Any], *, claimed: bool = False) -> Folder:
        """Make the directory of a new job; ``claimed``: of one that is never to be started."""
        return Folder.create(f"{self.live}/{job_id}", node, claimed=claimed)

    def folders(self) -> Iterator[tuple[str, Folder]]:
        """Return the ids and directories of all live jobs."""
        for name in sorted(os.listdir(self.live)):
            yield name, Folder(f"{self.live}/{name}")

    def put_away(self, folder: Folder) -> None:
        """Move an ended job out of ``live``."""
        hour = f"{self.done}/{time.strftime(HOUR_FORMAT, time.gmtime())}"
        os.makedirs(hour, mode=0o700, exist_ok=True)  # each time: whoever makes room may have removed it
        target = f"{hour}/{os.path.basename(folder.path)}"
        try:
            os.rename(folder.path, target)
        except PermissionError:
            os.chmod(folder.path, 0o700)  # the job has barred it
            os.rename(folder.path, target)
        except FileNotFoundError:
            os.mkdir(target, 0o700)  # the job has removed it; what is left is that there was one
        folder.path = target

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
        if not self.any_dropped:
            return False
        return self.lookup.execute("select 1 from tombs where id = ?", (job_id,)).fetchone() is not None

    def prune(self, faults: list[str] | None = None) -> int:
        """Drop ended jobs that are old enough, and return how many. For a native thread: it may take long.

        What cannot be dropped is tried again the next time; ``faults`` gets why not.
        """
        faults = [] if faults is None else faults
        limit = time.strftime(HOUR_FORMAT, time.gmtime(time.time() - self.keep - HOUR))
        count = 0
        for hour in sorted(self.done.iterdir()):
            if hour.name <= limit:
                try:
                    count += self._drop(hour, faults)
                except (OSError, sqlite3.Error) as error:
                    faults.append(f"{hour}: {error}")
        return count

    def _drop(self, hour: Path, faults: list[str]) -> int:
        paths = list(hour.iterdir())
        now = time.time()
        self.any_dropped = True
        with closing(self._database()) as database, database:
            database.executemany("insert or ignore into tombs values (?, ?)", [(path.name, now) for path in paths])
            database.execute("delete from tombs where at < ?", (now - REMEMBERED,))
        found = [str(error) for path in paths if (error := remove(path))]
        faults += found
        if not found:
            hour.rmdir()
        return len(paths) - len(found)

    def close(self) -> None:
        """Let go of the database."""
        self.lookup.close()

    def _database(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.tombs, timeout=30)
        database.execute("pragma journal_mode=wal")
        database.execute("pragma synchronous=normal")
        return database


def remove(path: Path) -> OSError | None:
    """Remove a job's directory, whatever the job made of it, such as a cache that is read-only; or return the fault."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return None
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
