"""Which part of an attempt's log is fetched: all of a short one, head and tail of one beyond the limit.

The executor counts raw bytes; what is stored is counted by the journal. They differ behind a gap.
"""

from collections.abc import Callable

from gorchestrator.client.api import JobView


class LogCursor:
    """Passes an attempt's log on, in order. ``stored``: bytes stored before this process followed the attempt."""

    def __init__(self, stored: int, limit: int, sink: Callable[[bytes], None]) -> None:
        self._position = stored
        self._head = limit // 2
        self._tail = limit - self._head
        self._sink = sink
        self._size: int | None = (
            None  # of the whole log, once the attempt has ended: what a daemon prints later is not it
        )

    def wanted(self, view: JobView | None = None) -> int | None:
        """Return the raw offset to ask for next; None while the head is full and the end is not there yet."""
        if self._position < self._head or (view is not None and view.state.final):
            return self._position
        return None

    def take(self, view: JobView) -> bool:
        """Store what is new in an answer; returns whether the log of an ended attempt is complete now."""
        if view.log_from > self._position:  # the executor keeps less of a log than is stored here
            self._leave_out(view.log_from - self._position)
        if view.state.final:
            self._size = view.log_size if self._size is None else self._size
            self._skip_middle(self._size)
        if view.log_from <= self._position < view.log_next:
            self._store(view.log[self._position - view.log_from : self._end(view) - view.log_from])
        if self._size is None:
            return False
        self._skip_middle(self._size)
        return self._position >= self._size

    def _end(self, view: JobView) -> int:
        """Return the raw offset up to which the log may be stored by now."""
        if self._size is not None and (self._size <= self._head + self._tail or self._position >= self._head):
            return min(view.log_next, self._size)
        return max(self._head, self._position)

    def _store(self, data: bytes) -> None:
        if data:
            self._sink(data)
            self._position += len(data)

    def _skip_middle(self, size: int) -> None:
        gap = size - self._tail - self._position
        if gap > 0 and self._position >= self._head:
            self._leave_out(gap)

    def _leave_out(self, size: int) -> None:
        self._sink(b"\n[... %d bytes left out ...]\n" % size)
        self._position += size
