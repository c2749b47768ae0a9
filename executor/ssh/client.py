"""Starting an OpenSSH client that logs in to a host and then waits for orders at a socket of its own."""

import logging
import os
import shutil
import signal
import time
import uuid
from contextlib import suppress

from gevent import monkey, socket

from executor.ssh import mux
from executor.ssh.faults import NoConnection, no_connection

log = logging.getLogger(__name__)

# gevent's version of the first watches the child through libev, which then collects every child of the process.
_posix_spawn = monkey.get_original("os", "posix_spawn")
_waitpid = monkey.get_original("os", "waitpid")

LOOK = 0.25  # seconds between two looks at a client that is silent
SAID = 8000  # bytes that are kept of what a client says
SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM)  # back to their defaults


def start(arguments: list[str], target: str, folder: str, limit: float) -> str:
    """Start a client; return the path of its socket when it has logged in. Raises NoConnection."""
    path = f"{folder}/{uuid.uuid4().hex[:8]}"
    program = shutil.which("ssh")
    if program is None:
        raise NoConnection("ssh is not installed here: install the OpenSSH client")
    argv = [program, "-M", "-N", "-o", f"ControlPath={path}", *arguments]
    ours, theirs = socket.socketpair()
    try:
        null = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1)]
        actions = [*null, (os.POSIX_SPAWN_DUP2, theirs.fileno(), 2)]
        pid = _posix_spawn(
            program, argv, os.environ, file_actions=actions, setsid=True, setsigmask=(), setsigdef=SIGNALS
        )
    finally:
        theirs.close()
    said = None
    try:
        said = _listen(ours, path, limit)
    finally:
        if said is None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            _waitpid(pid, 0)  # it has ended, or goes on in a child of its own
    if said is None:
        raise NoConnection(f"cannot connect to {target}: it has not let us in within {limit:g} s")
    if not mux.alive(path):
        raise no_connection(target, said)
    log.info("connected to %s", target, extra={"event": "ssh_connected", "target": target})
    return path


def _listen(ours: socket.socket, path: str, limit: float) -> str | None:
    """Return what a client says until it has failed or logged in; None: neither within ``limit`` seconds."""
    end = time.monotonic() + limit
    said = b""
    ours.settimeout(LOOK)
    with ours:
        while time.monotonic() < end:
            try:
                piece = ours.recv(SAID)
            except TimeoutError:
                if mux.alive(path):  # what it has started, such as a ProxyCommand, may hold its standard error
                    return ""
                continue
            if not piece:
                return said.decode(errors="replace")
            said = (said + piece)[-SAID:]
    return None
