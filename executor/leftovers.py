"""What a job left running whose shim was killed. The executor finds it, kills it, and says what it has found.

A shim sees everything below it; when it is gone, nothing is above its job's processes any more. They are known by the
main process, whose identity the shim wrote down, by the variables that every job gets, and by being below one of these.
What has given itself another environment and another parent is not found: so the job is lost, and not merely dead.
"""

import signal
import time
from collections.abc import Mapping

import gevent

from executor import proc
from executor.supervised import AGAIN, PATIENCE

MARKS = ("GORCH_TASK_ID", "GORCH_NODE", "GORCH_ATTEMPT", "GORCH_OUTPUT")  # together they are those of one job


def end(first: str | None, env: Mapping[str, str], grace: float) -> tuple[list[int], list[int]]:
    """Kill what is found, and return it, and what is left of it in the end. The hub goes on meanwhile.

    ``first``: the identity of the main process; ``env``: what that was given.
    """
    found = left = _look(first, env)
    proc.send(left, signal.SIGTERM, signal.SIGCONT)
    kill_at = time.monotonic() + grace
    give_up_at = kill_at + PATIENCE
    while left and time.monotonic() < give_up_at:
        gevent.sleep(AGAIN)
        left = _look(first, env)
        if time.monotonic() >= kill_at:
            proc.send(left, signal.SIGKILL)
    return found, left


def _look(first: str | None, env: Mapping[str, str]) -> list[int]:
    pids: list[int] = gevent.get_hub().threadpool.apply(find, (first, env))
    return pids


def find(first: str | None, env: Mapping[str, str]) -> list[int]:
    """Return the processes of a job that still run. It looks at every process of the machine."""
    marks = {f"{name}={env[name]}".encode() for name in MARKS if name in env}
    found = set(proc.marked(marks)) if len(marks) == len(MARKS) else set()
    main = int(first.partition(".")[0]) if first else 0
    if first and proc.identity(main) == first:
        found.add(main)
    for root in list(found):
        found.update(proc.everything_below(root))
    return sorted(pid for pid in found if proc.identity(pid))
