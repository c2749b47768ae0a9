"""Points at which a test can have a process killed, so that "at any moment" is enumerated and not hoped for.

``GORCH_FAULT_POINT`` names a file. Once a test has written the name of a point into it (``name``, or ``name:n`` for the
n-th time), the process that reaches the point removes the file and dies by SIGKILL: it dies once, although whoever is
started in its place has the same environment. ``name/kind`` means only the times at which the point is reached with
something of that kind. Without the variable a point is one comparison.

It lives in the shared leaf because engine and store, which do not know each other, have points both.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

VARIABLE = "GORCH_FAULT_POINT"
POINTS = (
    "before-attempt",  # nothing of the attempt is journalled
    "attempt-journalled",  # the attempt is durable, nothing was sent
    "result-arrived",  # the result is in memory
    "result-journalled",  # the result is durable, the executor has no receipt
    "before-transaction",  # a batch was taken from the queue
    "before-commit",  # all of a batch is written
    "after-commit",  # a batch is durable, nobody was told
)
#: What a batch may hold; the points of the journal's writer are reached with these.
KINDS = ("accept", "attempt", "result", "other")


class HasKind(Protocol):
    """What a point may be reached with."""

    @property
    def kind(self) -> str:
        """One of the kinds."""


_file = os.environ.get(VARIABLE)
_reached: Counter[str] = Counter()


def reached(point: str, having: Iterable[HasKind] = ()) -> None:
    """Die here if a test has asked for it; ``having``: what is about to be done. May be called in any thread."""
    if _file is not None:
        _look(point, having, Path(_file))


def _look(point: str, having: Iterable[HasKind], file: Path) -> None:
    try:
        wanted, _, count = file.read_text().strip().partition(":")
        name, _, kind = wanted.partition("/")
        if name == point and (not kind or any(each.kind == kind for each in having)):
            _reached[wanted] += 1
            if _reached[wanted] >= int(count or 1):
                file.unlink()  # fails for all processes but one
                os.kill(os.getpid(), signal.SIGKILL)
    except FileNotFoundError:
        _reached.clear()
