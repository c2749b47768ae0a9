"""Starting a service as gunicorn: what ``gorch serve`` and ``python -m executor`` share.

The socket is bound here and handed over, so that a taken port is said in one clear line instead of gunicorn's retries,
and so that port 0 gives a port that nobody can take in between.
"""

import ctypes
import errno
import gc
import logging
import os
import signal
import socket
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol, TypeVar

from gorchestrator.common.settings import SettingsError

T = TypeVar("T")
BACKLOG = 2048
KEEPALIVE = 75  # seconds; longer than the pools of clients keep an idle connection
CONNECTIONS = 4096  # that a worker takes at once
BOOT_ERROR = 3  # gunicorn's exit status of a worker that cannot start: then the whole server stops
GRACEFUL_TIMEOUT = 2  # seconds for what is being answered when the server is told to stop; long polls end at once
TIMEOUT = 60  # seconds without a sign of life after which the arbiter kills a worker
# Seconds: workers look once a second whether their gunicorn was killed; until they have ended, they hold its port.
ORPHANS = 1 + GRACEFUL_TIMEOUT + 1
COMMANDED = "GORCHESTRATOR_COMMAND"  # in the environment of the gunicorn that `gorch` becomes
_AGAIN = 0.05  # seconds between two looks whether a port is free
_PR_SET_PDEATHSIG = 1

log = logging.getLogger(__name__)


class ServingError(Exception):
    """The service cannot be started; the text says why and what to do."""


class Arbiter(Protocol):
    """What the hooks use of gunicorn's arbiter."""

    cfg: Any
    LISTENERS: Sequence[Any]
    WORKERS: Mapping[int, Any]  # by their pids
    WORKER_BOOT_ERROR: int
    halt: Callable[..., None]
    handle_hup: Callable[[], None]
    handle_usr2: Callable[[], None]


def listen(host: str, port: int, wait: float = 0) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. ``wait``: seconds in which a taken port may become free."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ServingError(f"cannot listen on {host}: {error.strerror}; give an address of this machine") from None
    limit = time.monotonic() + wait
    while True:
        try:
            return _listen(family, kind, address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= limit:
                raise ServingError(_why_not(error, host, port)) from None
        time.sleep(_AGAIN)


def _listen(family: int, kind: int, address: Any) -> socket.socket:
    sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Inherited by every connection: without it, an answer of two packets waits 40 ms for a delayed acknowledgement.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        taken = f"port {port} on {host} is taken by another program"
        return f"{taken}; choose another one with --port, or --port 0 for any free one"
    if error.errno == errno.EACCES:
        return f"port {port} is for root only; choose one from 1024 on with --port"
    return f"cannot listen on {host} port {port}: {error.strerror}"


def adopt(fd: int) -> socket.socket:
    """Return the listening socket that a parent process handed over."""
    return socket.socket(fileno=fd)


def url_of(sock: socket.socket, scheme: str) -> str:
    """Return the URL at which a listening socket is reached."""
    host, port = sock.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def require_files(named: Mapping[str, Path], remedy: str) -> None:
    """Raise unless each file is there and can be read; ``remedy`` is what to do."""
    for what, path in named.items():
        if not path.is_file():
            raise ServingError(f"{what}: there is no file {path}; {remedy}")
        if not os.access(path, os.R_OK):
            raise ServingError(f"{what}: {path} cannot be read by this user; change its owner or mode")


def make_directory(path: Path) -> None:
    """Make a service's data directory, for its user alone, unless it is there."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServingError(
            f"cannot make the data directory {path}: {error.strerror}; name another with --data"
        ) from None


def die_with_parent(parent: int) -> None:
    """Ask the kernel for a SIGTERM when ``parent`` ends, however it ends. It outlives exec."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it has ended before we asked
        sys.exit(0)


def python(module: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return command and environment to run ``module`` of this installation, whatever the current directory holds."""
    environment = dict(os.environ)
    root = str(Path(__file__).resolve().parents[2])
    if root not in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:  # a checkout
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
    # -P: a folder named like one of our packages in the current directory is not imported.
    return [sys.executable, "-P", "-m", module, *arguments], environment


def exec_gunicorn(
    configuration: str, app: str, sock: socket.socket, folder: Path, settings: Mapping[str, str]
) -> NoReturn:
    """Become gunicorn: serve ``app`` on ``sock``, with ``folder`` as the current directory.

    gunicorn imports from the current directory first, so it is never the user's, which may hold anything; ``settings``
    are those that have to be said in another way there.
    """
    sock.set_inheritable(True)
    os.chdir(folder)
    os.environ.update(settings)
    command, environment = python(
        "gunicorn", "-c", configuration, "--bind", f"fd://{sock.fileno()}", "--chdir", str(folder), app
    )
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, environment | {COMMANDED: "1"})


def cannot_start(error: Exception) -> NoReturn:
    """End a worker that cannot start, with a line of the log and not with a traceback; gunicorn then stops too."""
    logging.basicConfig()  # unless the settings were read already
    log.critical("cannot start: %s", error, extra={"event": "cannot_start"})
    sys.exit(BOOT_ERROR)


def or_exit(load: Callable[[], T]) -> T:
    """Return what ``load`` returns; faults of the settings end this process with a line each, not with a traceback."""
    try:
        return load()
    except SettingsError as error:
        sys.stderr.write(faults_text(error.faults))
        sys.exit(2)


def faults_text(faults: Iterable[str]) -> str:
    """Return the lines that tell the faults of the settings."""
    return "".join(f"Error: {fault}\n" for fault in faults)


def share_what_is_imported() -> None:
    """Have workers share the memory of what their master has imported, which the collector would else touch in each."""
    gc.freeze()
    gc.enable()


def refuse_preload(server: Arbiter) -> None:
    """End gunicorn if it was told to preload: threads and connections of the master would not be in its workers."""
    if server.cfg.preload_app:
        sys.stderr.write("Error: this service cannot be preloaded; leave out --preload\n")
        sys.exit(2)


def refuse_hosts(server: Arbiter, check: Callable[[str], str | None]) -> None:
    """End gunicorn if ``check`` finds fault with an address that it has bound, or is about to, by whatever option."""
    told = [address[0] for address in server.cfg.address if isinstance(address, tuple)]
    bound = [listener.sock.getsockname() for listener in server.LISTENERS]
    hosts = [*told, *(name[0] for name in bound if isinstance(name, tuple))]  # a Unix socket has a path
    faults = dict.fromkeys(fault for fault in map(check, hosts) if fault)
    if faults:
        sys.stderr.write(faults_text(faults))
        sys.exit(2)


def halt_once(server: Arbiter) -> None:
    """Let gunicorn end properly when several of its workers say at the same time that none can work.

    While it ends for the first of them, it would take the second one for another reason to end, and fail on that.
    """
    halt = server.halt

    def once(*args: Any, **options: Any) -> None:
        server.WORKER_BOOT_ERROR = -1  # no exit status is that
        halt(*args, **options)

    server.halt = once


def keep_listeners(server: Arbiter) -> None:
    """Keep gunicorn's listening sockets out of the programs that a worker starts, which would hold the port."""
    for listener in server.LISTENERS:
        listener.sock.set_inheritable(False)
