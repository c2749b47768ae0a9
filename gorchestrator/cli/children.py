"""The servers of ``gorch demo``: child processes that are started again when they die, and that never outlive it."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from gorchestrator.common import serving
from gorchestrator.common.text import printable

FIRST_PAUSE = 0.5  # seconds before a server that died is started again; doubled each time
LONGEST_PAUSE = 10.0
STEADY = 30.0  # seconds after which a server counts as well, and the next pause is the first one again
STOP_TIMEOUT = 15.0  # seconds from TERM to KILL
LOOK = 0.1  # seconds between two looks


class Child:
    """One server. It is given its listening socket, so its port stays its own while it is started again."""

    def __init__(
        self, title: str, arguments: Sequence[str], settings: Mapping[str, str], sock: socket.socket, log: Path
    ):
        self.title = title
        self.log = log
        self.sock = sock
        self._arguments = arguments
        self._settings = settings
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.pause = FIRST_PAUSE

    def start(self, parent: int) -> None:
        """Start it; the kernel ends it when ``parent`` ends."""
        own = ("--fd", str(self.sock.fileno()), "--parent", str(parent))
        command, environment = serving.python("gorchestrator.cli", *self._arguments, *own)
        # The settings of whoever starts the demo are for other services.
        clean = {name: value for name, value in environment.items() if not name.startswith("GORCH_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=clean | dict(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self.sock.fileno()],
                start_new_session=True,  # Ctrl-C is for the demo, which stops its servers in order
            )
        self.started = time.monotonic()

    def ended(self) -> int | None:
        """Return its status if it has ended."""
        return self.process.poll() if self.process else None

    def next_pause(self) -> float:
        """Return how long to wait before it is started again."""
        if time.monotonic() - self.started > STEADY:
            self.pause = FIRST_PAUSE
        pause, self.pause = self.pause, min(2 * self.pause, LONGEST_PAUSE)
        return pause

    def terminate(self) -> list[psutil.Process]:
        """Ask it to end, and return it with its workers."""
        if self.process is None or self.process.poll() is not None:
            return []
        family = _family(self.process.pid)
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return family

    def complaints(self, most: int = 5) -> list[str]:
        """Return what its log says of faults: the first few lines, or what was printed before there was a log."""
        try:
            lines = self.log.read_text("utf-8", "replace").splitlines()
        except OSError:
            return []
        found = list(dict.fromkeys(filter(None, map(_complaint, lines))))
        return found[:most] or [printable(line) for line in lines[-most:]]


class Supervisor(threading.Thread):
    """Starts the children in order, starts again what dies, stops them in reverse order.

    ``on_start`` is told the processes whenever one has started.
    It is one thread because the kernel ends a child together with the thread that started it.
    """

    def __init__(
        self,
        children: Sequence[Child],
        parent: int,
        say: Callable[[str], None],
        on_start: Callable[[Iterable[int]], None],
    ) -> None:
        super().__init__(name="supervisor", daemon=True)
        self.children = children
        self._parent = parent
        self._say = say
        self._on_start = on_start
        self._stopping = threading.Event()
        self.restarting = threading.Event()  # not before all have come up once: what cannot start is to be mended
        self._due: dict[Child, float] = {}

    def run(self) -> None:
        """Look after the children until :meth:`stop`."""
        try:
            for child in self.children:
                self._start(child)
            while not self._stopping.wait(LOOK):
                for child in self.children:
                    self._look_after(child)
        finally:
            self._end()

    def stop(self) -> None:
        """Stop all children; returns when they are gone."""
        self._stopping.set()
        if self.ident is not None:
            self.join()

    def _end(self) -> None:
        """End all children, the last one first, and return when they and their workers are gone."""
        family = [process for child in reversed(self.children) for process in child.terminate()]
        _, alive = psutil.wait_procs(family, STOP_TIMEOUT)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for child in self.children:
            if child.process:
                child.process.wait()

    def _look_after(self, child: Child) -> None:
        status = child.ended()
        if status is None or not self.restarting.is_set():
            return
        if child not in self._due:
            pause = child.next_pause()
            self._due[child] = time.monotonic() + pause
            self._say(
                f"the {child.title} died ({_status(status)}); it is started again in {pause:g} s. Log: {child.log}"
            )
        elif time.monotonic() >= self._due[child]:
            del self._due[child]
            self._start(child)

    def _start(self, child: Child) -> None:
        child.start(self._parent)
        self._on_start([each.process.pid for each in self.children if each.process])


def _complaint(line: str) -> str | None:
    """Return what a line of a log complains of, or None."""
    try:
        said = json.loads(line)
        if said["level"] not in {"error", "critical"}:
            return None
    except (ValueError, TypeError, KeyError):
        return None
    trace = str(said.get("exc_info") or "").splitlines()
    return printable(f"{said['message']}: {trace[-1]}" if trace else str(said["message"]))


def _status(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def _family(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children()]
    except psutil.NoSuchProcess:
        return []
