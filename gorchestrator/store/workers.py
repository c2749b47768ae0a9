"""Which processes of this machine work with a database, by what the database itself says: its table of owners."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

from gorchestrator.common import processes


def living(path: Path) -> list[int]:
    """Return the pids of the workers of this machine that have not ended, of whatever version; in order.

    Raises sqlite3.Error if the file cannot be read. It is opened so that it is not changed.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", timeout=10, uri=True)) as connection:
        tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'owners'").fetchone()
        owners = connection.execute("SELECT host, pid, pid_start FROM owners").fetchall() if tables[0] else []
    here = f"{socket.gethostname()} {processes.boot()}"
    return sorted(pid for host, pid, start in owners if host == here and processes.start_ticks(pid) == start)
