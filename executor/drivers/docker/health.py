"""Whether the daemon answers, for pings: asked once for all who want to know, and remembered for a moment.

A daemon that hangs costs whoever asks for it its whole limit; the executor's ping must not wait for that each time, and
those who ping must not queue up behind each other.
"""

import time
from collections.abc import Callable

import gevent

KEPT = 5.0  # seconds that an answer counts
SOON = 0.5  # seconds that a ping waits for a new one, before it takes that before
FIRST = 4.0  # the same, as long as there is none


class Health:
    """Remembers what ``ask`` returned: None, or why the daemon cannot be used. ``ask`` takes less than FIRST."""

    def __init__(self, ask: Callable[[], str | None]) -> None:
        self._ask = ask
        self._known: str | None = "the Docker daemon has not answered yet"
        self._asked_at: float | None = None  # by the monotonic clock, when the answer came
        self._asking: gevent.Greenlet[[], None] | None = None

    def fault(self) -> str | None:
        """Return why the daemon cannot be used; None if it can."""
        if self._asked_at is None or time.monotonic() - self._asked_at >= KEPT:
            if self._asking is None:
                self._asking = gevent.spawn(self._renew)
            self._asking.join(FIRST if self._asked_at is None else SOON)
        return self._known

    def _renew(self) -> None:
        try:
            self._known = self._ask()
        finally:
            self._asked_at, self._asking = time.monotonic(), None
