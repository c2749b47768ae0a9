"""What is kept of tasks that have ended: limits, and what lies beyond them.

It stands here because the settings, the service and the command say the limits, and the store keeps to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

#: Seconds for which a task is kept in any case after its end: who waits for it reads that it has ended, and what is
#: still on its way to the store finds it there.
SETTLED = 10.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept; 0 is without limit.

    ``age``: seconds since the end. ``count``: tasks that have ended. ``size``: bytes of the database that are in use.
    """

    age: float = 0.0
    count: int = 0
    size: int = 0

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.age or self.count or self.size)


@dataclass(frozen=True, slots=True)
class Surplus:
    """Tasks beyond the limits, oldest end first: the id of each, and about how many bytes it takes."""

    tasks: Sequence[tuple[str, int]] = ()

    @property
    def size(self) -> int:
        """About how many bytes they take."""
        return sum(size for _, size in self.tasks)


@dataclass(frozen=True, slots=True)
class Due:
    """What there is to do: to go on with the ``remains`` of removed tasks, to remove others, to ``shrink`` the file."""

    remains: bool
    surplus: Surplus
    shrink: bool

    @property
    def anything(self) -> bool:
        """Whether there is something."""
        return self.remains or self.shrink or bool(self.surplus.tasks)


@dataclass(frozen=True, slots=True)
class Room:
    """A database: bytes in use, bytes of its file (free pages included), and the tasks in it that have ended."""

    used: int
    file: int
    ended: int
