"""Starting a command in other circumstances than ours: as another user, with limits, niceness and umask.

What ``posix_spawn`` cannot do is done between a fork and an exec, in the shim, which has one thread. Standard library
only.
"""

import errno
import json
import os
import resource
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, NoReturn

LIMITS = {
    "cpu": resource.RLIMIT_CPU,  # seconds
    "memory": resource.RLIMIT_AS,  # bytes
    "files": resource.RLIMIT_NOFILE,
    "file_size": resource.RLIMIT_FSIZE,  # bytes
}


@dataclass(frozen=True, slots=True)
class User:
    """Who a command runs as."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


@dataclass(frozen=True, slots=True)
class Setup:
    """Circumstances of a command; None: as they are. ``limits`` by the names of ``LIMITS``."""

    user: User | None = None
    limits: Mapping[str, int] | None = None
    nice: int | None = None
    umask: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what :func:`start` takes."""
        return asdict(self) | {"limits": dict(self.limits or {})}


class CannotHonour(OSError):
    """The system refuses what a node asks for. ``step`` says what, such as ``enter cwd /srv``."""

    def __init__(self, step: str, number: int, text: str) -> None:
        super().__init__(number, text)
        self.step = step


def start(
    argv: Sequence[str], env: Mapping[str, str], cwd: str, log: int, signals: Sequence[int], setup: Mapping[str, Any]
) -> int:
    """Start a command, its output to ``log``, with these signals at their defaults; returns its pid.

    Raises OSError if it cannot be executed, CannotHonour where its circumstances are not to be had.
    """
    readable, writable = os.pipe()  # closed by the exec
    pid = os.fork()
    if pid == 0:
        _become(argv, env, cwd, log, signals, setup, writable)
    os.close(writable)
    with os.fdopen(readable, "rb") as file:
        fault = file.read()
    if fault:
        os.waitpid(pid, 0)
        step, number, text = json.loads(fault)
        raise CannotHonour(step, number, text) if step else OSError(number, text)
    return pid


def enter(cwd: str) -> None:
    """Change the working directory. Raises CannotHonour."""
    try:
        os.chdir(cwd)
    except (OSError, ValueError) as error:
        raise CannotHonour(_entering(cwd), *_told(error)) from None


def _become(
    argv: Sequence[str],
    env: Mapping[str, str],
    cwd: str,
    log: int,
    signals: Sequence[int],
    setup: Mapping[str, Any],
    tell: int,
) -> NoReturn:
    step = ""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (*signals, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        null = os.open("/dev/null", os.O_RDONLY)
        for source, number in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, number)
        for name, change in _changes(setup, cwd):
            step = name
            change()
        step = ""
        os.execve(argv[0], [*argv], env)
    except BaseException as error:
        os.write(tell, json.dumps([step, *_told(error)]).encode())
    finally:
        os._exit(127)


def _told(error: BaseException) -> tuple[int, str]:
    return getattr(error, "errno", None) or errno.EINVAL, getattr(error, "strerror", None) or str(error)


def _entering(cwd: str, user: Mapping[str, Any] | None = None) -> str:
    return f"enter cwd {cwd} as user {user['name']}" if user else f"enter cwd {cwd}"


def _changes(setup: Mapping[str, Any], cwd: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is to be done, with names for faults; in this order: who is not root any more may do less.

    The directory is entered by whom the command runs as, the limits are last: below them little can be done.
    """
    user, nice, umask = setup["user"], setup["nice"], setup["umask"]
    if umask is not None:
        yield f"set umask {umask:03o}", partial(os.umask, umask)
    if nice is not None:
        yield f"set nice {nice}", partial(os.setpriority, os.PRIO_PROCESS, 0, nice)
    if user:
        yield f"become user {user['name']}", partial(_switch, user)
    yield _entering(cwd, user), partial(os.chdir, cwd)
    for name, most in setup["limits"].items():
        yield f"set limits.{name} {most}", partial(_limit, name, most)


def _limit(name: str, most: int) -> None:
    _, hard = resource.getrlimit(LIMITS[name])
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # Of processor time a second more is the hard limit: the soft one says with a signal of its own what was reached.
    above = most + 1 if name == "cpu" else most
    resource.setrlimit(LIMITS[name], (most, above if hard == resource.RLIM_INFINITY else min(above, hard)))


def _switch(user: Mapping[str, Any]) -> None:
    os.setgroups(user["groups"])
    os.setgid(user["gid"])
    os.setuid(user["uid"])
