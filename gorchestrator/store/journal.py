"""The writing side of the store, as greenlets use it. All of it runs in the hub's thread; see ``writer.py``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gorchestrator.domain.audit import Act
from gorchestrator.domain.errors import TooManyRuns
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.records import Acceptance, Change, LogChunk, OwnerRow, Resolution, TaskRow
from gorchestrator.store import doubts, verbs
from gorchestrator.store.accepting import Accept
from gorchestrator.store.audit import Auditor, Prune
from gorchestrator.store.batch import Item, Verb
from gorchestrator.store.damage import Damage
from gorchestrator.store.executors import Remember
from gorchestrator.store.mailbox import Mailbox
from gorchestrator.store.seal import Seal

PATIENCE = 5.0  # s that a greenlet waits for a database that is at fault


class Journal:
    """Queues what is to be written and wakes who waits for it. The order of calls is the order of commits.

    Calls that block return when it is durable, and raise StoreUnavailable if the database was at fault for some
    seconds; then it is certain that nothing was or will be written. Of a call that is interrupted (its greenlet was
    killed, a gevent.Timeout passed) that is not known.
    """

    def __init__(
        self,
        path: Path,
        *,
        committed: Callable[[], None],
        damage: Damage,
        seal: Seal,
        patience: float = PATIENCE,
        measures: Measures | None = None,
    ) -> None:
        """Start the thread; ``committed`` is called in the hub when new events are durable."""
        self._auditor = Auditor(seal)
        self._mail = Mailbox(
            path,
            wrote=self._auditor.committed,
            committed=committed,
            damage=damage,
            patience=patience,
            measures=measures or Measures(),
        )

    # -- changes of runs

    def post(self, change: Change, failed: Callable[[BaseException], None] | None = None) -> None:
        """Queue a change and return. In a fault it is kept and tried again; ``failed`` is called if it is refused."""
        self._mail.put(Item(change, failed=failed))

    def write(self, change: Change) -> None:
        """Return when a change is durable. Raises Fenced if the run has ended or belongs to another process."""
        self._mail.wait(change)

    def sync(self) -> None:
        """Return when everything that was posted before is durable (or refused)."""
        self._mail.wait(_nothing)

    # -- tasks and owners

    def accept(self, coming: Acceptance, act: Act | None = None) -> str:
        """Insert a task; return its id.

        Where its request was taken before, nothing is written and the id is that of the task that it made. Raises
        KeyReused if its key was used for something else, TooManyRuns if there are enough open tasks already, whichever
        processes run them, and TooManyTasks if who submits has come to the end of a quota. ``act``, here and below:
        the line of the audit that is written with it, if anything is.
        """
        found: str | None = self._mail.wait(Accept(coming, self._auditor.note(act)))
        if found is None:
            raise TooManyRuns(coming.most)
        return found

    def request_cancel(self, task: str, actor: str, at: float, act: Act | None = None) -> TaskRow | None:
        """Remember that a task is to be cancelled, once; return its row after that, None if it is unknown."""
        row: TaskRow | None = self._mail.wait(verbs.RequestCancel(task, actor, at, self._auditor.note(act)))
        return row

    def resolve(self, said: Resolution, act: Act | None = None) -> Resolution:
        """Take somebody's word on how a node's current attempt counts; return what is stored. Raises NotInDoubt."""
        taken: Resolution = self._mail.wait(doubts.Resolve(said, self._auditor.note(act)))
        return taken

    def keep_layout(self, task: str, layout: bytes) -> None:
        """Remember how a task is drawn (JSON, packed with zlib), unless that is known already."""
        self._mail.wait(verbs.KeepLayout(task, layout))

    def claim(self, task: str, owner: str, expected_owner: str | None, expected_fence: int) -> int | None:
        """Become the owner of an open task; return the new fence, or None if somebody else was faster."""
        fence: int | None = self._mail.wait(verbs.Claim(task, owner, expected_owner, expected_fence))
        return fence

    def register(self, owner: OwnerRow) -> None:
        """Make a process known as an owner."""
        self._mail.wait(verbs.Register(owner))

    def beat(self, owner: str, elapsed: Mapping[str, float]) -> bool:
        """Show that an owner lives; return False if it is not known any more (somebody took it for dead).

        ``elapsed``: the seconds that its tasks with a deadline have used.
        """
        known: bool = self._mail.wait(verbs.Beat(owner, elapsed))
        return known

    def release(self, owner: str) -> None:
        """Take an owner from its open tasks, which anybody may claim then, and forget it."""
        self._mail.wait(verbs.Release(owner))

    def remember_executors(self, endpoints: Mapping[str, str]) -> None:
        """Queue where executors are, by their names, for :meth:`Reader.executor`; it is written when it can be."""
        self._mail.put(Item(Remember(endpoints)))

    def maintain(self, step: Verb) -> Any:
        """Take a step of what ``removing`` does, in its turn between the commits of runs; return what it returns."""
        return self._mail.wait(step)

    # -- the audit

    def audit(self, act: Act) -> None:
        """Write a line of the audit that tells of something outside of the database."""
        self._mail.wait(lambda transaction: self._auditor.append(transaction.connection, act))

    def prune_audit(self, through: int, *, begin: bool) -> int:
        """Take a step of pruning the audit up to a line; return how many lines are gone: 0, that was all.

        ``begin``: write a line that tells of it before.
        """
        gone: int = self._mail.wait(Prune(self._auditor, through, begin=begin))
        return gone

    # -- logs

    def append_log(self, chunk: LogChunk) -> None:
        """Queue a piece of a log; blocks while too much is queued."""
        self._mail.gate.enter(chunk)
        self._mail.put(Item(chunk, in_logs=True))

    def flush_logs(self, task: str, node: int, attempt: int) -> None:
        """Return when the queued pieces of this log are durable."""
        if self._mail.gate.holds((task, node, attempt)):
            self._mail.wait(_nothing, in_logs=True)  # the log queue keeps its order

    @property
    def fault(self) -> str | None:
        """What keeps the journal from being written, None if nothing is known to."""
        return self._mail.fault

    @property
    def ended(self) -> bool:
        """Whether nothing can be written any more by this process, though nobody has asked for that."""
        return self._mail.ended

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self._mail.close()


def _nothing(_: object) -> None:
    """Mark a place in the queue."""
