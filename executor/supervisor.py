"""The executor's side of keeper and shims: connections to shims, new ones on demand, and those that outlived us."""

import json
import logging
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import gevent
from gevent import monkey, socket
from gevent.lock import RLock

from executor import names
from executor.files import private
from executor.keeper import CONTROL
from gorchestrator.common import serving

log = logging.getLogger(__name__)

# gevent's versions watch the child through libev, which then collects every child of the process.
_posix_spawn = monkey.get_original("os", "posix_spawn")
_waitpid = monkey.get_original("os", "waitpid")

PIECE = 64 * 1024
SILENCE = 3.0  # seconds without an answer after which a shim is said not to answer
RESET = set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP}  # what gunicorn made of signals is not for others


class ShimLink:
    """A connection to a shim."""

    def __init__(self, peer: socket.socket) -> None:
        self.peer = peer
        self.rest = b""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send a message; that the shim has gone shows when its answer is awaited."""
        with suppress(OSError):
            self.peer.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """Wait for the shim's next message; None: it has gone."""
        while b"\n" not in self.rest:
            try:
                piece = self.peer.recv(PIECE)
            except OSError:
                return None
            if not piece:
                return None
            self.rest += piece
        line, _, self.rest = self.rest.partition(b"\n")
        return cast(dict[str, Any], json.loads(line))

    def close(self) -> None:
        """End the connection; an idle shim then ends too."""
        self.peer.close()


class Supervisor:
    """Hands out shims: idle ones first, else new ones, which the keeper forks."""

    def __init__(self, data: Path) -> None:
        """Use the data directory ``data``."""
        self.folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
        self.data = data
        self.idle: list[ShimLink] = []
        self.keeper_pid = 0
        self.control: socket.socket | None = None
        self.starting = RLock()
        data.joinpath(names.SHIMS).mkdir(mode=0o700, exist_ok=True)

    def acquire(self) -> ShimLink:
        """Return a shim for one job. It may turn out to have died; then no claim is found in the job's directory."""
        return self.idle.pop() if self.idle else self._fork()

    def give_back(self, shim: ShimLink) -> None:
        """Take a shim whose job is over and left nothing."""
        self.idle.append(shim)

    def attach(self, pid: str, job: str, silent: Callable[[], None]) -> tuple[ShimLink, dict[str, Any]] | None:
        """Return a connection to the shim that serves a job, and what it says of it; None: there is no such shim.

        One that does not answer, such as a stopped one, is waited for; after a while ``silent`` is called.
        """
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            peer.connect(f"/proc/self/fd/{self.folder}/{names.SHIMS}/{pid}.sock")
        except OSError:
            peer.close()
            return None
        shim = ShimLink(peer)
        alarm = gevent.spawn_later(SILENCE, silent)
        try:
            shim.send({"do": "attach", "job": job})
            # Whatever ends at this moment is told to all connections, also before they are answered.
            while (answer := shim.receive()) and "serving" not in answer:
                pass
        finally:
            alarm.kill()
        if answer and answer["serving"]:
            return shim, answer["serving"]
        shim.close()
        return None

    def close(self) -> None:
        """Let go of the keeper and of idle shims, which then end."""
        for shim in self.idle:
            shim.close()
        self.idle.clear()
        if self.control:
            self.control.close()
        os.close(self.folder)

    def _fork(self) -> ShimLink:
        ours, theirs = socket.socketpair()
        try:
            with self.starting:
                if not self._send(theirs):
                    self._start_keeper()
                    self._send(theirs)
        finally:
            theirs.close()
        return ShimLink(ours)

    def _send(self, theirs: socket.socket) -> bool:
        if self.control is None:
            return False
        try:
            socket.send_fds(self.control, [b"f"], [theirs.fileno()])
        except OSError:
            return False
        return True

    def _start_keeper(self) -> None:
        if self.control:
            self.control.close()
            _waitpid(self.keeper_pid, os.WNOHANG)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        argv, env = serving.python("executor.keeper", str(self.data))
        with open(self.data / names.KEEPER_LOG, "ab", opener=private) as output:
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
                (os.POSIX_SPAWN_DUP2, theirs.fileno(), CONTROL),
            ]
            self.keeper_pid = _posix_spawn(
                argv[0], argv, env, file_actions=actions, setsid=True, setsigmask=[], setsigdef=RESET
            )
        theirs.close()
        log.info("started keeper %d", self.keeper_pid, extra={"event": "keeper_started", "pid": self.keeper_pid})
