"""What tells a process from a later one of the same pid: when it started, counted from a boot of the machine.

Not the time of day at which it started: that is reckoned from the machine's clock, and moves when the clock is set.
"""

from functools import cache
from pathlib import Path

_STATE, _START = 0, 19  # places in what the kernel tells of a process behind its name
_ENDED = "ZX"


@cache
def boot() -> str:
    """Return the id of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int) -> int | None:
    """Return when a process started, in ticks of the kernel since the boot; None if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name, in brackets, may itself hold blanks and brackets.
    found = stat[stat.rindex(b")") + 2 :].split()
    return None if found[_STATE].decode() in _ENDED else int(found[_START])


def started(pid: int) -> str | None:
    """Return when a process started, as a text that no later process of this pid has; None if it has ended."""
    ticks = start_ticks(pid)
    return None if ticks is None else f"{boot()} {ticks}"
