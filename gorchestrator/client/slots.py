"""How many attempts may be in flight towards one executor. The limit follows what the executor says of itself."""

from collections import deque

from gevent.event import Event


class Ticket:
    """Somebody's place in the queues of one or several executors, until the first of them has a slot."""

    def __init__(self) -> None:
        self._served = Event()
        self.slots: Slots | None = None  # that a slot was taken of
        self.over = False  # no queue has to keep it any more

    def serve(self, slots: "Slots") -> None:
        """Hand the slot over that was taken for it."""
        self.slots, self.over = slots, True
        self._served.set()

    def wait(self, timeout: float) -> bool:
        """Wait for a slot; whether there is one now."""
        self._served.wait(timeout)
        return self._served.is_set()  # it may have come at the end of the timeout

    def end(self) -> None:
        """Wait no more, or give back the slot, also one that came meanwhile."""
        self.over = True
        if self.slots is not None:
            slots, self.slots = self.slots, None
            slots.release()


class Slots:
    """A semaphore whose limit can be changed while it is in use; served in the order of arrival."""

    def __init__(self, limit: int = 1) -> None:
        self.limit = limit
        self._used = 0
        self._paused = self._retired = False
        self._queue: deque[Ticket] = deque()

    @property
    def used(self) -> int:
        """How many are taken."""
        return self._used

    @property
    def queued(self) -> int:
        """How many wait for one."""
        return sum(not ticket.over for ticket in self._queue)

    def take(self, ticket: Ticket) -> bool:
        """Take a slot if one is free and nobody waits for it."""
        self._forget()
        if self._queue or not self._gives():
            return False
        self._used += 1
        ticket.serve(self)
        return True

    def enter(self, ticket: Ticket) -> None:
        """Wait for one, behind those who wait already."""
        self._queue.append(ticket)
        self._serve()

    def release(self) -> None:
        """Give a slot back."""
        self._used -= 1
        self._serve()

    def resize(self, limit: int) -> None:
        """Change the limit; slots beyond it are not taken away, they run out."""
        self.limit = limit
        self._serve()

    def pause(self) -> None:
        """Give no slots until :meth:`resume`; who waits keeps waiting."""
        self._paused = True

    def resume(self) -> None:
        """Give slots again."""
        self._paused = False
        self._serve()

    def retire(self) -> None:
        """Give none until :meth:`reinstate`, whoever resumes."""
        self._retired = True

    def reinstate(self) -> None:
        """Take :meth:`retire` back."""
        self._retired = False
        self._serve()

    def _gives(self) -> bool:
        return self._used < self.limit and not self._paused and not self._retired

    def _serve(self) -> None:
        self._forget()
        while self._queue and self._gives():
            self._used += 1
            self._queue.popleft().serve(self)
            self._forget()

    def _forget(self) -> None:
        """Drop those in front who have got a slot elsewhere, or wait no more: that costs less than to look for them."""
        while self._queue and self._queue[0].over:
            self._queue.popleft()
