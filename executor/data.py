"""The data directory: it belongs to one executor process at a time, and has an identity of its own."""

import fcntl
import os
import time
import uuid
from contextlib import suppress
from io import FileIO
from pathlib import Path

from executor import names
from executor.files import private, write_atomically

WAIT = 10.0  # seconds: as long as an executor before this one may take to let go when it is reloaded
AGAIN = 0.1


class DataInUse(Exception):
    """Another executor works in the data directory."""


class Data:
    """An executor's data directory, which this process holds until :meth:`close`."""

    def __init__(self, path: Path, wait: float = WAIT) -> None:
        """Take the directory, after at most ``wait`` seconds; raises :class:`DataInUse`."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.lock = FileIO(path / names.LOCK, "a+", opener=private)
        try:
            self._take(wait)
        except BaseException:
            self.lock.close()
            raise

    def close(self) -> None:
        """Let go of the directory."""
        self.lock.close()

    def instance(self) -> str:
        """Return the id that was made once in this directory, so that an empty one in its place is noticed."""
        path = self.path / names.INSTANCE
        try:
            known = path.read_text().strip()
        except FileNotFoundError:
            known = ""
        if not known:
            known = uuid.uuid4().hex
            write_atomically(str(path), f"{known}\n".encode())
        return known

    def _take(self, wait: float) -> None:
        limit = time.monotonic() + wait
        while not _locked(self.lock):
            if time.monotonic() >= limit:
                holder = (self.path / names.LOCK).read_text().strip() or "unknown"
                raise DataInUse(
                    f"the data directory {self.path} is in use by another executor (pid {holder}); an executor is one"
                    " process: start it with one worker, and another executor with a data directory of its own"
                )
            time.sleep(AGAIN)
        with suppress(OSError):  # for people alone: a full disk is no reason not to start
            self.lock.truncate(0)
            self.lock.write(f"{os.getpid()}\n".encode())


def _locked(file: FileIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
