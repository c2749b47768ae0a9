"""Seats: a file for each worker of a service that is alive, which the next one takes over when that one has ended.

The files are in a directory of the service that is running, named by its main process (``data/metrics/PID-TICKS``), so
that counts begin at zero when the service is started, and not when a worker is. Who sits on a seat holds a lock on its
file, which the kernel lets go however a process ends.
"""

import fcntl
import logging
import mmap
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gorchestrator.common import processes
from gorchestrator.common.metrics.cells import SIZE

log = logging.getLogger(__name__)


class Seat:
    """The seat of this process. Without ``folder`` it is alone, as in tests."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take a free seat below ``folder``; where that cannot be, the worker counts for itself, and says so."""
        self.number = 0
        self._handle = -1
        self._folder: Path | None = None
        if folder is not None:
            try:
                self._folder = _own(folder)
                self._handle, self.number = _take(self._folder)
                os.posix_fallocate(self._handle, 0, SIZE)  # else a full disk would kill who writes to the memory
            except OSError as error:
                self.leave()
                text = "this worker's numbers are missing in /metrics of the others: %s"
                log.warning(text, error, extra={"event": "metrics_alone", "reason": str(error)})
        self.memory = mmap.mmap(self._handle, SIZE)  # of nobody else, if the handle is -1

    def others(self) -> Iterator[tuple[mmap.mmap, bool]]:
        """Yield the memory of all other seats, and whether somebody sits there."""
        if self._folder is None:
            return
        for path in sorted(self._folder.glob("*")):
            if path.name == str(self.number):
                continue
            with suppress(OSError, ValueError):  # it is about to be made, or its service about to end
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    taken = not _lock(handle, fcntl.LOCK_SH)
                    memory = mmap.mmap(handle, SIZE, prot=mmap.PROT_READ)
                finally:
                    _close(handle)
                with memory:
                    yield memory, taken

    def leave(self) -> None:
        """Let somebody else have it."""
        handle, self._handle, self._folder = self._handle, -1, None
        if handle >= 0:
            _close(handle)


def _own(folder: Path) -> Path:
    """Return the directory of this service; those of services that have ended are removed."""
    main = os.getppid()
    own = folder / f"{main}-{processes.start_ticks(main) or 0}"
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # as the service would make it
    folder.mkdir(mode=0o700, exist_ok=True)
    for each in folder.iterdir():
        pid, _, start = each.name.partition("-")
        alive = pid.isdecimal() and start == str(processes.start_ticks(int(pid)) or 0)
        if each != own and not alive:
            shutil.rmtree(each, ignore_errors=True)
    own.mkdir(mode=0o700, exist_ok=True)
    return own


def _take(folder: Path) -> tuple[int, int]:
    """Return the locked file of the first free seat, and its number."""
    number = 0
    while True:
        handle = os.open(folder / str(number), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        if _lock(handle, fcntl.LOCK_EX):
            return handle, number
        os.close(handle)
        number += 1


def _lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close(handle: int) -> None:
    fcntl.flock(handle, fcntl.LOCK_UN)  # gevent puts the close off
    os.close(handle)
