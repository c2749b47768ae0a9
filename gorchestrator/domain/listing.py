"""What a list of tasks shows, and in which order: values that travel from the request to the store."""

from dataclasses import dataclass
from enum import StrEnum

from gorchestrator.common.states import State


class Sort(StrEnum):
    """What a list is sorted by."""

    ACCEPTED = "accepted"
    STARTED = "started"  # those that have not started come before the others
    DURATION = "duration"  # from start to stop, or until now; without a start before the others
    NAME = "name"
    STATE = "state"  # by its number


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind the task with this id and this value of what the list is sorted by."""

    value: int | str
    task: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks, how sorted, and how many.

    ``states``: any of them, all if empty. ``name``: a part of the name, ASCII letters in either case. ``labels``: all
    of them, a value of None stands for any. ``since``, ``until``: when they were accepted, seconds since the epoch, the
    latter excluded. ``now``: the time by which the durations of open tasks are compared, the same for all pages.
    """

    now: float
    states: frozenset[State] = frozenset()
    name: str = ""
    labels: tuple[tuple[str, str | None], ...] = ()
    since: float | None = None
    until: float | None = None
    sort: Sort = Sort.ACCEPTED
    descending: bool = True
    after: Place | None = None
    limit: int = 100
