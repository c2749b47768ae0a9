"""What nodes have printed: by offset, by their last lines, and as it comes."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import gevent

from gorchestrator.common.states import State
from gorchestrator.domain.attempts import attempt_id
from gorchestrator.domain.records import NodeRow
from gorchestrator.service.tasks import Tasks
from gorchestrator.store import Store
from gorchestrator.store.logs import Gap

PIECE = 2**20  # bytes of log that one answer holds at the most
_TAIL_STEP = 2**16  # bytes that are read at once while lines are looked for from the end on
_LOOK = 0.1  # seconds at least between two looks whether there is more
_LOOK_ANYWAY = 5.0  # seconds after which it is looked for without any sign
_BEAT = 15.0  # seconds after which a follower is told that nothing has come


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A piece of the log of an attempt: what it printed from ``offset`` to ``next``; ``complete`` if nothing follows.

    Where something was left out, which ``gap`` tells, a line in ``data`` says so.
    """

    attempt: int
    data: bytes
    next: int
    complete: bool
    gap: Gap | None
    offset: int = 0


class Logs:
    """The logs of the attempts of all processes, as they are stored."""

    def __init__(self, store: Store, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def read(
        self, task_id: str, node: str, offset: int, attempt: int | None = None, *, limit: int = PIECE, wait: float = 0
    ) -> LogPiece:
        """Return at most ``limit`` bytes of the log of a node (name, else number) from ``offset`` on.

        By default of its last attempt, which is not complete while another one may follow. ``wait``: seconds for which
        an empty answer is held back while more of the same attempt may come.
        """
        deadline = time.monotonic() + wait
        first = None
        while True:
            piece = self._read(task_id, node, offset, attempt, limit)
            first = first or piece.attempt
            left = deadline - time.monotonic()
            if piece.data or piece.complete or piece.attempt != first or left <= 0 or self._store.tailer.closed:
                return piece
            self._pause(left)

    def tail(self, task_id: str, node: str, lines: int, attempt: int | None = None) -> LogPiece:
        """Return the last ``lines`` lines of a log, as many of them as one answer holds."""
        row, _ = self._tasks.node(task_id, node)
        number = row.attempt if attempt is None else attempt
        size = self._store.reader.log_size(task_id, row.node, number)
        offset, found = size, b""
        while offset > 0 and found.count(b"\n") <= lines and len(found) < PIECE:
            start = max(0, offset - _TAIL_STEP)
            part = self._store.reader.log(task_id, row.node, number, start, offset - start)
            if part.gap is not None:  # lines go no further back than to what was left out
                found = part.behind[: offset - part.gap.offset - part.gap.length] + found
                offset = part.gap.offset + part.gap.length
                break
            found, offset = part.data + found, start
        kept = _last_lines(found, lines)[-PIECE:]
        piece = self._read(task_id, node, size, number if attempt is not None else None, PIECE)
        return LogPiece(number, kept, size, piece.complete and not piece.data, None, size - len(kept))

    def follow(self, task_id: str, node: str, offset: int, attempt: int | None = None) -> Iterator[bytes]:
        """Yield what one attempt prints until it has ended, from ``offset`` on; b"" where nothing came for a while.

        Raises UnknownTask or UnknownNode at once, and not only where somebody begins to read.
        """
        row, _ = self._tasks.node(task_id, node)
        return self._followed(task_id, node, offset, row.attempt or 1 if attempt is None else attempt)

    def _followed(self, task_id: str, node: str, offset: int, number: int) -> Iterator[bytes]:
        while not self._store.tailer.closed:
            piece = self.read(task_id, node, offset, number, limit=_TAIL_STEP, wait=_BEAT)
            offset = piece.next
            yield piece.data
            if piece.complete:
                return

    def _read(self, task_id: str, node: str, offset: int, attempt: int | None, limit: int) -> LogPiece:
        row, _ = self._tasks.node(task_id, node)
        number = row.attempt if attempt is None else attempt
        # Whether it has ended is looked at before its log is read, so that nothing can come between.
        ended = row.state.final or (attempt is not None and self._has_ended(row, attempt))
        piece = self._store.reader.log(task_id, row.node, number, offset, limit)
        data = b"".join((piece.data, piece.gap.marker if piece.gap else b"", piece.behind))
        return LogPiece(number, data, piece.next, ended and not piece.more, piece.gap, offset)

    def _pause(self, left: float) -> None:
        """Wait for a sign that there may be more; not more often than is worth it, since any commit is one."""
        began = time.monotonic()
        self._store.tailer.wait_any(min(left, _LOOK_ANYWAY))
        rest = min(left, _LOOK) - (time.monotonic() - began)
        if rest > 0:
            gevent.sleep(rest)

    def _has_ended(self, row: NodeRow, attempt: int) -> bool:
        """Whether an attempt has ended of a node that may go on with the next one."""
        name = attempt_id(row.task, row.node, attempt)
        return attempt < row.attempt or (row.state is State.TORUN and name in self._store.reader.final_attempts([name]))


def _last_lines(text: bytes, lines: int) -> bytes:
    """Return the last lines. A carriage return ends none: a bar that is drawn again and again is one line."""
    if lines == 0:
        return b""
    body = text.removesuffix(b"\n")
    return b"\n".join(body.rsplit(b"\n", lines)[-lines:]) + text[len(body) :]
