"""When a person may say how an attempt counts: only where the service cannot find out by itself."""

import shlex

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.domain.records import Answer, NodeRow, TaskRow

#: What a node shows whose attempt may run where nobody answers.
_IN_DOUBT = frozenset(
    {
        ReasonCode.EXECUTOR_UNREACHABLE,
        ReasonCode.EXECUTOR_REFUSED,
        ReasonCode.CANCELING,
        ReasonCode.DEADLINE,
    }
)


def refusal(task: TaskRow, row: NodeRow, answer: Answer, *, running: bool) -> str | None:
    """Return why nothing may be said of a node; None if it may. ``running``: as far as is known its attempt runs."""
    if row.state.final:
        return f"It has ended in {row.state.label}: there is nothing to resolve."
    if row.reason_code != ReasonCode.ASK and not (running and row.reason_code in _IN_DOUBT):
        why = row.reason or row.state.label
        return (
            "Only a node that asks, or whose executor does not answer, can be resolved; this one does not"
            f" ({why[:200]}). To end it, cancel the task."
        )
    if answer is Answer.RETRY and (task.cancel_at is not None or row.reason_code == ReasonCode.DEADLINE):
        return "Its task is being stopped, so nothing is tried again; resolve it as success or failure."
    return None


def command(task: str, name: str) -> str:
    """Return what a person types to say how the attempt of a node counts.

    It names the node, because its number might be the name of another one.
    """
    dashes = "-- " if name.startswith("-") else ""
    return f"gorch resolve --as success|failure|retry {dashes}{task} {shlex.quote(name)}"
