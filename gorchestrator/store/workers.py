"""Which processes work with a database, by what the kernel and the database itself say of them.

The lock of ``usage`` tells whether somebody does; this tells who, and of workers that hold no lock, since they are of a
version that had none, or on another machine.
"""

import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from gorchestrator.common import processes

_LOOK = 4.0  # seconds in which a worker shows that it lives, several times with the usual lease


def holding(folder: Path) -> list[int]:
    """Return the pids of the processes that hold a lock on a directory, as far as the kernel tells."""
    found = os.stat(folder)
    mark = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    try:
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return []
    # 12: FLOCK  ADVISORY  READ 4711 fd:01:131 0 EOF; who waits has an arrow behind the number
    fields = [line.split() for line in lines if "->" not in line]
    return sorted({int(each[4]) for each in fields if each[1] == "FLOCK" and each[5] == mark and int(each[4]) > 0})


def living(path: Path) -> list[int]:
    """Return the pids of the workers of this machine that have not ended, of whatever version; in order.

    A copy of a database names workers that have nothing to do with it: they do not have the file open. Whose
    files may not be looked at counts. Raises sqlite3.Error if the file cannot be read, which is not changed.
    """
    here = _here()
    rows = _owners(path)
    found = sorted(pid for host, pid, start, _ in rows if host == here and processes.start_ticks(pid) == start)
    return [pid for pid in found if _has_open(pid, path)]


def _has_open(pid: int, path: Path) -> bool:
    wanted = path.stat()
    try:
        opened = list(Path(f"/proc/{pid}/fd").iterdir())
    except PermissionError:
        return True
    except FileNotFoundError:  # it has just ended
        return False
    for each in opened:
        with suppress(OSError):
            if os.path.samestat(each.stat(), wanted):
                return True
    return False


def elsewhere(path: Path) -> list[str]:
    """Return the hosts with workers that are not processes of this machine and show that they live.

    Takes a few seconds if there may be any. Raises sqlite3.Error.
    """
    before = _foreign(path)
    if not before:
        return []
    time.sleep(_LOOK)
    return sorted(
        {host.partition(" ")[0] for (host, pid), beat in _foreign(path).items() if before.get((host, pid)) != beat}
    )


def _foreign(path: Path) -> dict[tuple[str, int], int]:
    here = _here()
    return {(host, pid): beat for host, pid, _, beat in _owners(path) if host != here}


def _owners(path: Path) -> Iterator[tuple[str, int, float, int]]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=10, uri=True)) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'owners'").fetchone()
        found = connection.execute("SELECT host, pid, pid_start, beat FROM owners").fetchall() if tables[0] else []
    yield from found


def _here() -> str:
    return f"{socket.gethostname()} {processes.boot()}"
