"""What happens, as it happens: the journal from any line on, to its end and beyond."""

import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gorchestrator.domain.records import EPOCH_BITS, EventRow
from gorchestrator.service.tasks import Tasks
from gorchestrator.store import Store

_BEAT = 15.0  # seconds without an event after which a reader is told that all is well
_KNOWN = 10_000  # tasks of which it is remembered whether a reader sees them


@dataclass(frozen=True, slots=True)
class Start:
    """Where a stream begins: behind event ``after``. ``reset``: not where its reader wanted, so he has missed some."""

    after: int
    reset: bool


class Events:
    """The journal as a stream, whichever processes write it."""

    def __init__(self, store: Store, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def start(self, after: int | None) -> Start:
        """Return where a stream of all tasks begins that is to go on behind ``after``; None: with what comes now."""
        pruned, last = self._store.reader.kept()
        if after is None:
            return Start(last, reset=False)
        kept = after == pruned or (after > pruned and self._seen_here(after, last))
        return Start(after if kept else last, reset=not kept)

    def start_of(self, task_id: str, after: int | None) -> Start | None:
        """Return where a task's stream begins, None if all of it lies behind its reader. Raises UnknownTask."""
        row = self._tasks.get(task_id)
        pruned, last = self._store.reader.kept()
        # What is removed goes with its task, so all of this one are there.
        if after and after > pruned and not self._seen_here(after, last):
            return Start(self._store.reader.last_seq(task_id), reset=True)
        if row.state.final and (after or 0) >= self._store.reader.last_seq(task_id):
            return None
        return Start(after or 0, reset=False)

    def _seen_here(self, after: int, last: int) -> bool:
        """Whether an event of this number, which is not removed, can have been seen in this journal.

        Else a backup was restored, which did not have it: the numbers go on behind a gap then.
        """
        begin = after % (1 << EPOCH_BITS) == 0  # nothing has happened since then, or ever
        return after <= last and (begin or self._store.reader.has_event(after))

    def follow(
        self,
        after: int,
        task_id: str | None = None,
        kinds: Container[str] | None = None,
        sees: Callable[[Mapping[str, str]], bool] | None = None,
    ) -> Iterator[Sequence[EventRow]]:
        """Yield the events behind ``after``, of one task or of all, as they come; after a silence none of them.

        ``kinds``: no others. ``sees``: whether the labels of a task make it one of those that are there for the reader.
        Ends when this process stops, and with the end of the task.
        """
        found = self._store.feed.follow(after, task_id, _BEAT, kinds)
        return found if sees is None or task_id is not None else self._seen(found, sees)

    def _seen(
        self, found: Iterator[Sequence[EventRow]], sees: Callable[[Mapping[str, str]], bool]
    ) -> Iterator[Sequence[EventRow]]:
        known: dict[str, bool] = {}
        told = time.monotonic()
        for events in found:
            if len(known) > _KNOWN:
                known.clear()
            for task in {event.task for event in events} - known.keys():
                row = self._store.reader.task(task)
                known[task] = row is not None and sees(row.labels)
            seen = [event for event in events if known[event.task]]
            # A beat whenever something happens that is hidden would show that it does.
            if seen or time.monotonic() - told >= _BEAT:
                told = time.monotonic()
                yield seen
