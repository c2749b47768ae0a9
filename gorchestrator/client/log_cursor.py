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

    def wanted(self, view: JobView | None = None) -> int | None:
        """Return the raw offset to ask for next; None while the head is full and the end is not there yet."""
        if self._position < self._head or (view is not None and view.state.final):
            return self._position
        return None

    def take(self, view: JobView) -> bool:
        """Store what is new in an answer; returns whether the log of an ended attempt is complete now."""
        if view.state.final:
            self._skip_middle(view.log_size)
        if view.log_from <= self._position < view.log_next:
            self._store(view.log[self._position - view.log_from : self._end(view) - view.log_from])
        if not view.state.final:
            return False
        self._skip_middle(view.log_size)
        return self._position >= view.log_size

    def _end(self, view: JobView) -> int:
        """Return the raw offset up to which the log may be stored by now."""
        whole = view.log_size <= self._head + self._tail
        if view.state.final and (whole or self._position >= self._head):
            return view.log_next
        return max(self._head, self._position)

    def _store(self, data: bytes) -> None:
        if data:
            self._sink(data)
            self._position += len(data)

    def _skip_middle(self, size: int) -> None:
        gap = size - self._tail - self._position
        if gap > 0 and self._position >= self._head:
            self._sink(b"\n[... %d bytes left out ...]\n" % gap)
            self._position += gap
