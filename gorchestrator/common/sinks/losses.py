"""How many lines one receiver did not get, and who is told: stdout, the other receivers, and at last itself."""

import logging
import math
from collections.abc import Callable
from time import monotonic
from typing import Any

Tell = Callable[[int, str, dict[str, Any]], logging.LogRecord]  # level, message, extra fields

_INTERVAL = 10.0  # seconds between two reports


class Losses:
    """The counts of one receiver. ``overflow`` is counted by who logs, all else by the thread that sends."""

    def __init__(self, tell: Tell) -> None:
        self.spoilt = 0  # lines that could not be written down
        self._overflow, self._full = 0, False
        self._tell = tell
        self._told, self._next = 0, -math.inf

    def overflow(self, name: str, waiting: int) -> None:
        """Count a line for which there was no room, and say so when it is the first."""
        self._overflow += 1
        if not self._full:
            self._full = True
            extra = {"event": "log_sink_full", "sink": name, "waiting": waiting}
            self._tell(logging.WARNING, f"{name} takes no more lines; those that follow are dropped", extra)

    @property
    def untold(self) -> int:
        """How many lines were lost since the last report."""
        return self._overflow + self.spoilt - self._told

    def report(self, name: str, *, now: bool = False) -> logging.LogRecord | None:
        """Say what was lost, once the receiver can be reached; return what it has to be told, if anything.

        ``now``: also if the last report was just before.
        """
        dropped, time = self.untold, monotonic()
        if not dropped or (time < self._next and not now):
            return None
        self._told += dropped
        self._next = time + _INTERVAL
        self._full = False
        extra = {"event": "log_lines_dropped", "sink": name, "dropped": dropped}
        return self._tell(logging.WARNING, f"{name} has missed {dropped} lines", extra)

    def report_end(self, name: str, left: int) -> None:
        """Say what was lost when nothing will be sent any more; ``left``: lines that wait."""
        dropped = left + self.untold
        if dropped:
            extra = {"event": "log_lines_dropped", "sink": name, "dropped": dropped}
            self._tell(logging.WARNING, f"{name} did not get the last {dropped} lines", extra)
