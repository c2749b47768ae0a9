"""Waiting for a slot on one of several executors: whichever can be reached and has room first gets the node.

Nobody is woken but who gets a slot: an executor that is away gives none until it is back. Who waits looks around from
time to time, for its reason, and for executors that the settings have brought or taken away meanwhile.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from gorchestrator.client.executor import PATIENCE, RemoteExecutor
from gorchestrator.client.slots import Ticket
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.domain.ports import Note

_LOOK = 5.0  # seconds between two looks, at the most
_NAMED = 5  # executors in a reason

Find = Callable[[], Sequence[RemoteExecutor]]


@contextmanager
def placed(find: Find, note: Note) -> Iterator[tuple[RemoteExecutor, str]]:
    """Wait for a slot on an executor that ``find`` returns; yields it and its instance id.

    ``find`` raises NoExecutor if there is none.
    """
    waiting = _Waiting(find, note)
    try:
        executor = waiting.wait()
        info = executor.contact.info
        yield executor, info.instance if info else ""
    finally:
        waiting.ticket.end()


class _Waiting:
    def __init__(self, find: Find, note: Note) -> None:
        self._find = find
        self._note = note
        self._said: tuple[ReasonCode, str] | None = None
        self._begin()

    def _begin(self) -> None:
        self.ticket = Ticket()
        self._queues: list[RemoteExecutor] = []

    def wait(self) -> RemoteExecutor:
        """Return the executor that has a slot for the node."""
        while True:
            executor = self._take() or self._queue()
            if any(each is executor for each in self._find()):
                self._unsay()
                return executor
            self.ticket.end()  # it is not for the node any more
            self._begin()

    def _take(self) -> RemoteExecutor | None:
        """Take a free slot of the least loaded one that has any."""
        for executor in sorted(self._find(), key=lambda each: each.load):
            if executor.slots.take(self.ticket):
                return executor
        return None

    def _queue(self) -> RemoteExecutor:
        """Wait in the queues of all that fit."""
        pause = PATIENCE
        while True:
            fit = self._find()
            for executor in fit:
                if not any(each is executor for each in self._queues) and not self.ticket.over:
                    self._queues.append(executor)
                    executor.slots.enter(self.ticket)
            if self.ticket.wait(pause):
                return next(each for each in self._queues if each.slots is self.ticket.slots)
            self._say(fit)
            pause = min(2 * pause, _LOOK)

    def _say(self, fit: Sequence[RemoteExecutor]) -> None:
        found = why_not_yet(fit)
        if found is not None and found != self._said:
            self._said = found
            self._note(*found)

    def _unsay(self) -> None:
        if self._said is not None and self._said[0] is not ReasonCode.SLOT:
            self._note(None, None)


def why_not_yet(executors: Sequence[RemoteExecutor]) -> tuple[ReasonCode, str] | None:
    """Return why a node waits for executors; None if it is not known yet whether they can be reached."""
    told = [(executor, executor.contact.fault) for executor in executors[:_NAMED]]
    reachable = [executor for executor in executors if executor.contact.wait(0)]
    if len(executors) == 1:
        if reachable:
            only = executors[0]
            return ReasonCode.SLOT, f"waits for a slot on executor {only.name!r} ({only.slots.limit} are taken)"
        fault = executors[0].contact.fault
        return None if fault is None else (fault.code, _state(executors[0]))
    first = next((fault for _, fault in told if fault is not None), None)
    if not reachable and first is None:
        return None
    code = ReasonCode.SLOT if reachable or first is None else first.code
    more = f"; and {len(executors) - _NAMED} more" if len(executors) > _NAMED else ""
    return code, f"waits for one of {len(executors)} executors: {'; '.join(map(_state, executors[:_NAMED]))}{more}"


def _state(executor: RemoteExecutor) -> str:
    if executor.contact.wait(0):
        return f"{executor.name!r} has no slot free ({executor.slots.limit} are taken)"
    fault = executor.contact.fault
    if fault is None:
        return f"{executor.name!r} was not asked yet"
    return f"{fault.reason}; not reachable since {executor.contact.since}"
