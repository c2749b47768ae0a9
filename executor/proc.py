"""Which processes are below one, out of ``/proc``. For shims: standard library only."""

import os
from collections import defaultdict
from collections.abc import Iterable


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


def send(pids: Iterable[int], *numbers: int) -> None:
    """Send signals to processes, some of which may be gone or out of reach."""
    for pid in pids:
        for number in numbers:
            try:
                os.kill(pid, number)
            except (ProcessLookupError, PermissionError):
                break


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return 0
    # The name, in brackets, may itself hold blanks and brackets.
    return int(stat[stat.rindex(b")") + 2 :].split(maxsplit=2)[1])


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found.extend(map(int, file.read().split()))
    except OSError:
        pass  # it has ended, or this kernel has no such files
    return found
