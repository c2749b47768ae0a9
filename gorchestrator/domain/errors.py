"""The one family of errors of the orchestrator. What a node suffers is a value and not one of these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class GorchError(Exception):
    """Something is wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str | None = None, **data: Any) -> None:
        """``detail`` says what is wrong and what to do (default: the class's docstring); ``data`` is for programs."""
        self.detail = detail or (type(self).__doc__ or self.code)
        self.data: Mapping[str, Any] = data
        super().__init__(self.detail)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a document: where (a JSON Pointer, RFC 6901) and what."""

    pointer: str
    detail: str


class InvalidGorch(GorchError):
    """The gorch cannot be run; every fault is listed."""

    code = "invalid-gorch"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"The gorch has {len(faults)} fault{'s' if len(faults) > 1 else ''}; see errors.")
        self.faults = tuple(faults)


class Unauthorized(GorchError):
    """The service wants to know who asks: send `Authorization: Bearer TOKEN`; `gorch token create` makes tokens."""

    code = "unauthorized"


class Forbidden(GorchError):
    """The request is beyond what its sender may do."""

    code = "forbidden"


class UnknownTask(GorchError):
    """There is no such task; GET /v1/tasks lists those that are kept."""

    code = "task-unknown"


class UnknownNode(GorchError):
    """The task has no such node."""

    code = "node-unknown"


class NotInDoubt(GorchError):
    """How the node's attempt ends is known or will be: there is nothing to resolve."""

    code = "not-in-doubt"


class TooManyRuns(GorchError):
    """As many graphs are open as the service takes; nothing was accepted."""

    code = "too-many-runs"

    def __init__(self, most: int | None) -> None:
        super().__init__(
            f"{most} graphs have not ended yet, and this service takes no more (setting open_runs, GORCH_OPEN_RUNS). "
            "Nothing was stored; try again when some have ended."
        )


class TooManyTasks(GorchError):
    """Somebody submits more than the service takes of one client; nothing was accepted. ``seconds``: until it may."""

    code = "too-many-tasks"

    def __init__(self, client: str, most: int, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"{client!r} submits more than {most} tasks a minute, and this service takes no more of one client "
            f"(setting submit_rate, GORCH_SUBMIT_RATE). Nothing was stored; try again in {seconds:.1f} s."
        )


class TooManyStreams(GorchError):
    """A client follows as many events and logs as one may."""

    code = "too-many-streams"

    def __init__(self, client: str, most: int) -> None:
        super().__init__(
            f"{client!r} follows {most} streams already, and this service has no more for one client (setting "
            "streams_per_client, GORCH_STREAMS_PER_CLIENT). Close one, or follow all tasks by one: GET /v1/events."
        )


class NothingThere(GorchError):
    """The log has nothing in the Range that was asked for."""

    code = "range"


class KeyReused(GorchError):
    """The Idempotency-Key was used for another request during the last day; choose a new one."""

    code = "idempotency-key-reused"


class InProgress(GorchError):
    """A request with this Idempotency-Key is being stored; try again."""

    code = "request-in-progress"


class NotEnded(GorchError):
    """The task has not ended; wait for its end or cancel it."""

    code = "not-ended"


class NothingToRerun(GorchError):
    """Every node has succeeded; name the nodes that are to run again."""

    code = "nothing-to-rerun"


class NoLayout(GorchError):
    """The graph cannot be drawn here: it takes too long, or the service has no room for it; its nodes are all there."""

    code = "no-layout"


class IllegalTransition(GorchError):
    """A fault of this program: a state cannot follow another one."""

    code = "illegal-transition"


class StoreError(GorchError):
    """The store cannot be used."""

    code = "store"


class NameTaken(StoreError):
    """A token that opens something has this name already."""

    def __init__(self, name: str, token: str) -> None:
        super().__init__(
            f"The token {token} has the name {name!r}, and names tell who has done what: choose another one, such as "
            f"one with a date, or end that token (gorch token revoke {token})."
        )


class StoreUnavailable(StoreError):
    """The store cannot be written at the moment; nothing was accepted. Try again later."""

    code = "store-unavailable"


class StoreDamaged(StoreUnavailable):
    """The database is damaged: nothing is written to it any more. Restore a backup."""

    code = "store-damaged"


class SchemaMismatch(StoreError):
    """The database has the schema of another version; run `gorch db upgrade`."""

    code = "schema-mismatch"


class Fenced(StoreError):
    """Another process owns the run now; this one may not write of it any more."""

    code = "fenced"
