"""Has graphs drawn by child processes, some at a time, each in bounded time; the hub goes on meanwhile.

Child processes are started and waited for in native threads. Both ends of their data are files in memory, so
nobody waits for a full pipe, and nothing here looks at what is in them.
"""

import logging
import os
import select
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO

import gevent
from gevent import monkey
from gevent.threadpool import ThreadPool

from gorchestrator.common.serving import python
from gorchestrator.common.text import printable
from gorchestrator.domain.errors import NoLayout

AT_ONCE = 2  # processes
TIMEOUT = 15.0  # seconds for a process
_CHILD = "gorchestrator.web.layout"
_SIMPLE = ("simple",)

_spawn = monkey.get_original("os", "posix_spawn")
_wait = monkey.get_original("os", "waitpid")
_poll = monkey.get_original("select", "poll")

log = logging.getLogger(__name__)


class Drawer:
    """Draws graphs."""

    def __init__(self, *, child: str = _CHILD, timeout: float = TIMEOUT) -> None:
        """``child``: the module of the process."""
        self._pool = ThreadPool(AT_ONCE, hub=gevent.get_hub())
        self._child = child
        self._timeout = timeout
        self._running: set[int] = set()  # pidfds
        self._stopped = False

    def draw(self, graph: str) -> bytes:
        """Return the drawing of a graph: JSON of what :func:`gorchestrator.web.layout.drawing.draw` returns, by zlib.

        ``graph`` is what the child process reads. Where the better way fails or takes too long, a simple one is taken.
        Raises NoLayout.
        """
        for arguments in ((), _SIMPLE):
            if self._stopped:
                break
            found: bytes | str = self._pool.apply(self._run, (arguments, graph))
            if isinstance(found, bytes):
                return found
            log.warning("a graph was not drawn: %s", found, extra={"event": "layout_failed", "simple": bool(arguments)})
        raise NoLayout

    def stop(self) -> None:
        """Kill the processes, whose drawings nobody waits for any more, and end the threads."""
        self._stopped = True
        for process in [*self._running]:
            with suppress(OSError):  # it has just ended
                signal.pidfd_send_signal(process, signal.SIGKILL)
        self._pool.kill()

    # -- in a native thread, where nothing may be used that waits for the hub

    def _run(self, arguments: Sequence[str], graph: str) -> bytes | str:
        """Return what a process has drawn, or what went wrong: what a thread raises, gevent would print."""
        try:
            with _file() as given, _file() as drawn, _file() as said:
                given.write(graph.encode())
                given.seek(0)
                status = self._end_of(arguments, [given.fileno(), drawn.fileno(), said.fileno()])
                if status == 0:
                    drawn.seek(0)
                    return drawn.read()
                said.seek(0)
                lines = said.read().decode("utf-8", "replace").splitlines()
                return _explained(status) + printable("".join(f": {line}" for line in lines[-1:]))
        except OSError as error:
            return f"no process can be started or followed: {error}"

    def _end_of(self, arguments: Sequence[str], files: Sequence[int]) -> int:
        """Start a process with these standard files; return how it ended, at the latest by our hand."""
        command, environment = python(self._child, *arguments)
        actions = [(os.POSIX_SPAWN_DUP2, file, standard) for standard, file in enumerate(files)]
        pid = _spawn(command[0], command, environment, file_actions=actions)
        with open(os.pidfd_open(pid), "rb", buffering=0) as process:
            self._running.add(process.fileno())
            poll = _poll()
            poll.register(process.fileno(), select.POLLIN)
            if self._stopped or not poll.poll(self._timeout * 1000):
                os.kill(pid, signal.SIGKILL)
            status = _wait(pid, 0)[1]
            self._running.discard(process.fileno())
        return os.waitstatus_to_exitcode(status)


def _file() -> BinaryIO:
    return open(os.memfd_create("layout"), "w+b")


def _explained(status: int) -> str:
    return "its process ended " + (f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}")
