"""Which part of an attempt's log is fetched: all of a short one, head and tail of one beyond the limit.

Offsets are raw: they count what the attempt printed, on the executor as in the journal. Nothing has to be remembered of
what was left out, so whoever takes over goes on at the end of what is stored.
"""

from collections.abc import Callable

from gorchestrator.client.answers import JobView


class LogCursor:
    """Passes an attempt's log on, in order, with at most one gap.

    ``position``: the offset behind what was stored before this process followed the attempt; ``limit``: bytes that are
    kept; ``sink`` gets the offset of each piece with it.
    """

    def __init__(self, position: int, limit: int, sink: Callable[[int, bytes], None]) -> None:
        self._position = position
        self._limit = limit
        self._head = limit // 2
        self._tail = limit - self._head
        self._sink = sink
        # Of the whole log, once the attempt has ended. What a daemon prints later is not it; what was removed is gone.
        self._size: int | None = None

    def wanted(self, view: JobView) -> int | None:
        """Return the offset to ask for after this answer; None while the head is full and the end is not there yet."""
        return self._position if view.state.final or self._position < self._head else None

    def take(self, view: JobView) -> bool:
        """Store what is new in an answer; returns whether the log of an ended attempt is complete now."""
        if view.state.final:
            self._size = view.log_size if self._size is None else min(self._size, view.log_size)
        if view.log_from > self._position:  # the executor keeps less of it
            self._head = self._position
            # What it keeps moves on while the attempt runs: what is worth fetching is known at the end.
            self._position = self._position if self._size is None else view.log_from
        self._skip_middle()
        while view.log_from <= self._position < (end := min(view.log_next, self._end())):
            self._sink(self._position, view.log[self._position - view.log_from : end - view.log_from])
            self._position = end
            self._skip_middle()
        return self._size is not None and self._position >= self._size

    def _end(self) -> int:
        """Return the offset up to which the log may be stored by now."""
        if self._size is None or (self._size > self._limit and self._position < self._head):
            return self._head
        return self._size

    def _skip_middle(self) -> None:
        if self._size is not None and self._size > self._limit and self._position >= self._head:
            self._position = max(self._position, self._size - self._tail)
