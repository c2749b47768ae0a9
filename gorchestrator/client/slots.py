"""How many attempts may be in flight towards one executor. The limit follows what the executor says of itself."""

from collections import deque

from gevent.event import Event


class Slots:
    """A semaphore whose limit can be changed while it is in use; served in the order of arrival."""

    def __init__(self, limit: int = 1) -> None:
        self.limit = limit
        self._used = 0
        self._queue: deque[Event] = deque()

    @property
    def used(self) -> int:
        """How many are taken."""
        return self._used

    @property
    def queued(self) -> int:
        """How many wait for one."""
        return len(self._queue)

    def try_acquire(self) -> bool:
        """Take a slot if one is free and nobody waits for it."""
        if self._used < self.limit and not self._queue:
            self._used += 1
            return True
        return False

    def acquire(self, ticket: Event, timeout: float) -> bool:
        """Wait for a slot; ``ticket`` keeps the place in the queue over several calls. Whether there is one now."""
        if ticket not in self._queue and not ticket.is_set():
            self._queue.append(ticket)
            self._serve()
        return bool(ticket.wait(timeout))

    def give_up(self, ticket: Event) -> None:
        """Leave the queue, or give back the slot that came meanwhile."""
        if ticket.is_set():
            self.release()
        elif ticket in self._queue:
            self._queue.remove(ticket)

    def release(self) -> None:
        """Give a slot back."""
        self._used -= 1
        self._serve()

    def resize(self, limit: int) -> None:
        """Change the limit; slots beyond it are not taken away, they run out."""
        self.limit = limit
        self._serve()

    def _serve(self) -> None:
        while self._queue and self._used < self.limit:
            self._used += 1
            self._queue.popleft().set()
