"""Starting a command in other circumstances than ours: as another user, with limits, niceness and umask.

What ``posix_spawn`` cannot do is done between a fork and an exec, in the shim, which has one thread. Standard library
only.
"""

import errno
import json
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
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


def start(
    argv: Sequence[str], env: Mapping[str, str], log: int, signals: Sequence[int], setup: Mapping[str, Any]
) -> int:
    """Start a command, its output to ``log``, with these signals at their defaults; returns its pid.

    Raises OSError where the system refuses something.
    """
    readable, writable = os.pipe()  # closed by the exec
    pid = os.fork()
    if pid == 0:
        _become(argv, env, log, signals, setup, writable)
    os.close(writable)
    with os.fdopen(readable, "rb") as file:
        fault = file.read()
    if fault:
        os.waitpid(pid, 0)
        number, what = json.loads(fault)
        raise OSError(number, what)
    return pid


def _become(
    argv: Sequence[str], env: Mapping[str, str], log: int, signals: Sequence[int], setup: Mapping[str, Any], tell: int
) -> NoReturn:
    what = ""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (*signals, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        null = os.open("/dev/null", os.O_RDONLY)
        for source, number in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, number)
        for step, change in _changes(setup):
            what = step
            change()
        what = ""
        os.execve(argv[0], [*argv], env)
    except BaseException as error:
        number = getattr(error, "errno", None) or errno.EINVAL
        text = getattr(error, "strerror", None) or str(error)
        os.write(tell, json.dumps([number, f"{what}: {text}" if what else text]).encode())
    finally:
        os._exit(127)


def _changes(setup: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return what is to be done, with names for faults; in this order: who is not root any more may do less."""
    found: list[tuple[str, Any]] = []
    if setup["umask"] is not None:
        found.append(("umask", lambda: os.umask(setup["umask"])))
    if setup["nice"] is not None:
        found.append((f"nice {setup['nice']}", lambda: os.setpriority(os.PRIO_PROCESS, 0, setup["nice"])))
    found += [
        (f"limit {name}", lambda name=name, most=most: _limit(name, most)) for name, most in setup["limits"].items()
    ]
    if user := setup["user"]:
        found.append((f"user {user['name']}", lambda: _switch(user)))
    return found


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
