"""The limit on open files of the processes that serve, else of those that this shell would start."""

import resource
from collections.abc import Iterable, Iterator
from pathlib import Path

from gorchestrator.doctor.finding import Finding, Findings

_ENOUGH = 4096  # a worker takes as many connections, and each attempt in flight, log and event stream has its own
_TOO_FEW = 256
_ADVICE = "LimitNOFILE=65536 in the unit of systemd, or ulimit -n 65536 before the start"
_LINE = "Max open files"


def check(pids: Iterable[int]) -> Iterator[Finding]:
    """Check the limit of each process; of none, that of this one."""
    found = {pid: limit for pid in pids if (limit := _limit(pid)) is not None}
    for pid, limit in found.items():
        yield _judge(limit, Findings("limits", f"process {pid}"))
    if not found:
        yield _judge(resource.getrlimit(resource.RLIMIT_NOFILE)[0], Findings("limits", "what is started here"))


def _judge(limit: int, told: Findings) -> Finding:
    if limit == resource.RLIM_INFINITY or limit >= _ENOUGH:
        return told.ok(f"may have {limit:,} files open" if limit >= 0 else "may have any number of files open")
    says = f"may have only {limit:,} files open"
    return told.fault(says, _ADVICE) if limit < _TOO_FEW else told.warning(says, _ADVICE)


def _limit(pid: int) -> int | None:
    """Return the soft limit of a process of any user; None if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return None
    soft = next(line for line in lines if line.startswith(_LINE)).removeprefix(_LINE).split()[0]
    return resource.RLIM_INFINITY if soft == "unlimited" else int(soft)
