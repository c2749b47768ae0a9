"""What must be known of a job's container after everything was lost but the disk.

It is written through to the disk before a container is started, killed or removed: so a container that is not there
either never ran, or its end is known, or somebody else has removed it; and a kill that was begun is brought to its end.
"""

import json
import os
from typing import Any

import gevent

from executor.drivers.base import Job
from executor.files import open_regular, sync, write_atomically

NAME = "container.json"


class Notes:
    """The notes of one job."""

    def __init__(self, job: Job) -> None:
        self._path = job.path(NAME)
        known = job.read(NAME) or {}
        self.started: bool = known.get("started", False)  # it may have run
        self.killing: str | None = known.get("killing")  # why it is being killed
        self.ended: dict[str, Any] | None = known.get("ended")  # how

    def starting(self) -> None:
        """Note that it may run from now on. Raises OSError."""
        if not self.started:
            self.started = True
            self._write()

    def stopping(self, cause: str) -> None:
        """Note that it is killed from now on: what it ends with is not its own any more. Raises OSError."""
        if self.killing is None:
            self.killing = cause
            self._write()

    def ending(self, how: dict[str, Any]) -> None:
        """Note how it ended. Raises OSError."""
        self.ended = how
        self._write()

    def _write(self) -> None:
        data = json.dumps({"started": self.started, "killing": self.killing, "ended": self.ended}).encode()
        # As a value: gevent prints a traceback of whatever is raised in its threads.
        if error := gevent.get_hub().threadpool.apply(_write_through, (self._path, data)):
            raise error


def _write_through(path: str, data: bytes) -> OSError | None:
    try:
        write_atomically(path, data)
        with open_regular(path) as file:
            os.fsync(file.fileno())
    except OSError as error:
        return error
    sync(os.path.dirname(path))
    return None
