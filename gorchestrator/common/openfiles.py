"""How many files a service may have open: as many as its connections need, which those that it starts for nodes do not.

A process that waits with ``select``, or closes all descriptors that there may be, suffers from a high limit. So what a
service starts for others gets back what the service was started with. Standard library only: keepers use it too.
"""

import os
import resource

_BEFORE = "GORCHESTRATOR_OPEN_FILES"  # in the environment of all processes of a service: what it was started with


def allow(most: int) -> None:
    """Have this process, and those that it starts, open so many files at once, if its user may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        os.environ.setdefault(_BEFORE, str(soft))
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def restore() -> None:
    """Have this process, and those that it starts, open as many as before :func:`allow`."""
    before = os.environ.pop(_BEFORE, None)
    if before is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(before), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
