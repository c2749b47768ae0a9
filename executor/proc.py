"""Which processes there are, and which are below one, out of ``/proc``. For shims too: standard library only."""

import os
from collections import defaultdict
from collections.abc import Iterable, Set
from contextlib import suppress
from functools import cache

PARENT, START = 1, 19  # places in what is read of a process; its state is the first


def everything_below(root: int) -> list[int]:
    """Return all descendants of ``root``, parents first, by one look at every process of the machine."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            children[_parent(entry)].append(int(entry))
    found = [root]
    for pid in found:
        found.extend(children[pid])
    return found[1:]


def seen_below(root: int) -> list[int]:
    """Return descendants of ``root`` quickly; while processes come and go, some may be missing.

    It reads only the processes concerned, so that in a loop it catches what forks faster than ``/proc`` can be listed.
    """
    found = [root]
    for pid in found:
        found.extend(_children(pid))
    return found[1:]


def identity(pid: int) -> str | None:
    """Return what tells a process from all others of this machine, earlier ones included; None: it has ended."""
    stat = _stat(str(pid))
    return f"{pid}.{int(stat[START])}.{_boot()}" if stat and stat[0] not in b"ZX" else None


def marked(marks: Set[bytes]) -> list[int]:
    """Return the processes that were given all these variables (``NAME=value``) and may be looked at by this user."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError), open(f"/proc/{entry}/environ", "rb") as file:
                if marks <= set(file.read().split(b"\0")):
                    found.append(int(entry))
    return found


def send(pids: Iterable[int], *numbers: int) -> None:
    """Send signals to processes, some of which may be gone or out of reach."""
    for pid in pids:
        for number in numbers:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                break


@cache
def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def _parent(pid: str) -> int:
    stat = _stat(pid)
    return int(stat[PARENT]) if stat else 0


def _stat(pid: str) -> list[bytes]:
    """Return what the kernel tells of a process behind its name; nothing if it is not there."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return []
    # The name, in brackets, may itself hold blanks and brackets.
    return stat[stat.rindex(b")") + 2 :].split()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found.extend(map(int, file.read().split()))
    except OSError:
        pass  # it has ended, or this kernel has no such files
    return found
