"""One job below a shim: its start, its end, its timeout, and the killing of everything that it started.

Standard library only. Nothing here waits: the shim calls :meth:`Supervised.look` when a child has ended and when
:meth:`Supervised.wait_ms` has passed. What is waited for is measured by a monotonic clock; wall time is for people.
"""

import errno
import json
import os
import signal
import time
from contextlib import suppress
from typing import Any

from executor import launch, names, proc
from executor.files import write_all

AGAIN = 0.02  # seconds between two rounds of KILL
SLOWER = 1.0  # the same, once it was reported that something cannot be killed; also between two tries to write
PATIENCE = 10.0  # seconds of KILL until what is left is reported
ROUNDS = 20  # of KILL at once: what forks faster than we look must be met while it is there
IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)  # by shims
BARRED = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError)  # time will not change it
DEFAULT = (*IGNORED, signal.SIGXFSZ)  # in jobs; Python ignores SIGXFSZ
TOO_MUCH = "pass on its arguments and variables (Linux takes 128 KiB of each and about 2 MiB of all)"


class Supervised:
    """A job from its start until nothing is left of it."""

    def __init__(self, order: dict[str, Any]) -> None:
        """``order``: the message that asks for its start."""
        self.id: str = order["job"]
        self.folder: str = order["folder"]
        self.grace: float = order["grace"]
        self.pid = 0
        self.status: int | None = None  # as from waitpid
        self.cause = "exit"
        self.error: str | None = None  # why the command could not be started
        self.step: str | None = None  # of what the node asks for, that failed then
        self.cpu: float | None = None  # seconds of processor time of the main process
        self.started_at = time.time()
        self.deadline: float | None = None if order["timeout"] is None else time.monotonic() + order["timeout"]
        self.kill_at: float | None = None  # when KILL follows; TERM was sent
        self.survivors: list[int] = []  # of which it was reported that they cannot be killed
        self.record: dict[str, Any] | None = None  # how it ended
        self.written = False
        self._start(order)

    @property
    def over(self) -> bool:
        """Whether nothing is left of it, and how it ended is written."""
        return self.written and self.record is not None and not self.record["left"]

    def kill(self, cause: str, grace: float) -> None:
        """Kill everything: TERM now, KILL after the grace. Asking again can only shorten the grace."""
        kill_at = time.monotonic() + grace
        if self.kill_at is None:
            if not self._ended:
                self.cause = cause
            self.kill_at = kill_at
            # What is stopped ends only when it goes on.
            proc.send(proc.everything_below(os.getpid()), signal.SIGTERM, signal.SIGCONT)
        self.kill_at = min(self.kill_at, kill_at)

    def news(self) -> dict[str, Any]:
        """Return what an executor must know that finds it running."""
        return {"started_at": self.started_at, "survivors": self.survivors}

    def wait_ms(self) -> float | None:
        """Return after how many milliseconds to look again although no child has ended; None: never."""
        if self.record and not self.written:
            return SLOWER * 1000
        if self.kill_at is not None:
            again = SLOWER if self.survivors else AGAIN
            return max(again, self.kill_at - time.monotonic()) * 1000
        if self.deadline is not None and not self._ended:
            return max(0.0, self.deadline - time.monotonic()) * 1000
        return None

    def look(self) -> list[dict[str, Any]]:
        """Do what is due; returns news for the executor."""
        alone = self._reap()
        if self.kill_at is not None:
            alone = alone or self._press()
        elif self._ended and not alone and self.status != 0:
            self.kill(self.cause, self.grace)
        elif not self._ended and self.deadline is not None and time.monotonic() >= self.deadline:
            self.kill("timeout", self.grace)
        if self._ended and (alone or self.kill_at is None):
            return self._end(left=not alone)
        return self._report()

    @property
    def _ended(self) -> bool:
        return self.status is not None or self.error is not None

    def _start(self, order: dict[str, Any]) -> None:
        try:
            log = os.open(f"{self.folder}/{names.LOG}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                self.pid = _spawn(order["argv"], order["env"], order["cwd"], log, order.get("setup"))
            finally:
                os.close(log)
        except (OSError, ValueError) as error:
            self.error = getattr(error, "strerror", None) or str(error)
            self.step = _step(error)
        else:
            # For the executor, should this shim be killed. A full disk is no reason to fail what runs.
            with suppress(OSError):
                if identity := proc.identity(self.pid):
                    os.symlink(identity, f"{self.folder}/{names.PROCESS}")

    def _reap(self) -> bool:
        """Collect what has ended; returns whether nothing is left below this process."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self.pid and self.status is None:
                self.status, self.cpu = status, used.ru_utime + used.ru_stime

    def _press(self) -> bool:
        """Kill what is left, if the grace is over; returns whether nothing is left."""
        if self.kill_at is None or time.monotonic() < self.kill_at:
            return False
        for _ in range(ROUNDS):
            proc.send(proc.seen_below(os.getpid()) or proc.everything_below(os.getpid()), signal.SIGKILL)
            if self._reap():
                return True
        return False

    def _report(self) -> list[dict[str, Any]]:
        if self.kill_at is None or self.survivors or time.monotonic() < self.kill_at + PATIENCE:
            return []
        self.survivors = proc.everything_below(os.getpid())
        return [{"survivors": self.survivors}]

    def _end(self, *, left: bool) -> list[dict[str, Any]]:
        """Write how it ended, and what is left, once; a full disk is tried again."""
        if self.record is None or self.record["left"] != left:
            first = self.record or {"started_at": self.started_at, "stopped_at": time.time()}
            why = {"cause": self.cause, "error": self.error, "step": self.step}
            how = {"ended": self.id, "status": self.status, "cpu": self.cpu, "left": left, **why}
            self.record, self.written = first | how, False
        if self.written:
            return []
        self.written = _write(self.folder, self.record)
        return [self.record] if self.written else []


def _spawn(argv: list[str], env: dict[str, str], cwd: str, log: int, setup: dict[str, Any] | None) -> int:
    if setup is not None:
        return launch.start(argv, env, cwd, log, DEFAULT, setup)
    null = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
    outputs = [(os.POSIX_SPAWN_DUP2, log, number) for number in (1, 2)]
    actions = [null, *outputs]
    launch.enter(cwd)  # it is inherited
    try:
        return os.posix_spawn(argv[0], argv, env, file_actions=actions, setsid=True, setsigmask=(), setsigdef=DEFAULT)
    finally:
        os.chdir("/")  # a shim that is idle, or outlives the command, must not keep a file system from being unmounted


def _step(error: OSError | ValueError) -> str | None:
    """Return what a node asks for that cannot be done; None if it is the program that cannot be started."""
    if isinstance(error, launch.CannotHonour):
        return error.step
    return TOO_MUCH if getattr(error, "errno", None) == errno.E2BIG else None


def _write(folder: str, record: dict[str, Any]) -> bool:
    path = f"{folder}/{names.EXIT}"
    try:
        with suppress(FileNotFoundError):
            os.unlink(f"{path}.new")  # whatever it is: a pipe would be waited for, a link would be followed
        file = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(file, json.dumps(record).encode())
        finally:
            os.close(file)
        os.rename(f"{path}.new", path)
    except BARRED:
        return True  # the job has removed or barred its directory: the executor is told, and that must do
    except OSError:
        return False
    return True
