"""The states of nodes and graphs: the integers that are everywhere on the wire, and their names for people.

A client that polls until ``state >= 3`` is always right: whatever is not final is below 3.
"""

from enum import IntEnum


class State(IntEnum):
    """The state of a graph or of one of its nodes."""

    INITIAL = 0
    TORUN = 1  # a node only: it waits for predecessors, a slot, a back-off or an answer; its reason says which
    RUNNING = 2
    SUCCESS = 3
    FAILURE = 4
    NOTRUNNABLE = 5  # a node only: a predecessor did not succeed
    SKIPPED = 6  # a node only: its own condition said no
    TIMEOUT = 10
    CANCELED = 11

    @property
    def label(self) -> str:
        """The name shown in lists, logs and pages, such as ``torun``."""
        return self.name.lower()

    @property
    def final(self) -> bool:
        """Whether nothing can follow this state."""
        return self >= State.SUCCESS
