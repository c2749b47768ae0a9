"""What people say of attempts of which nobody knows how they ended, and who waits for it."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event

from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.records import Resolution

if TYPE_CHECKING:
    from gorchestrator.engine.run import Run

_STORE_RETRY = 1.0  # seconds between two tries to read what was said

log = logging.getLogger(__name__)


class Doubts:
    """By node and attempt. What was said of an attempt before somebody asks is kept until then."""

    def __init__(self) -> None:
        self._said: dict[tuple[int, int], Resolution] = {}
        self._events: defaultdict[tuple[int, int], Event] = defaultdict(Event)

    def settle(self, said: Resolution) -> None:
        """Take note of what was said; the first word counts."""
        key = (said.node, said.attempt)
        self._said.setdefault(key, said)
        self._events[key].set()

    def word(self, node: int, attempt: int) -> Resolution | None:
        """Return what was said of an attempt, if anything was."""
        return self._said.get((node, attempt))

    def wait(self, node: int, attempt: int) -> Resolution:
        """Return what was said of an attempt, as soon as something is."""
        self._events[node, attempt].wait()
        return self._said[node, attempt]


def learn(run: "Run", read: Callable[[str], Sequence[Resolution]]) -> None:
    """Tell a run what is stored of what was said of its attempts."""
    while True:
        try:
            said = read(run.task.id)
        except StoreError as error:
            log.warning("the store is away: %s", error, extra={"event": "store_away", "task": run.task.id})
            gevent.sleep(_STORE_RETRY)
        else:
            for each in said:
                run.doubts.settle(each)
            return
