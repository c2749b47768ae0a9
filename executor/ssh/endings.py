"""How a job on another host ended, as that tells it and as it is noted here, and what that means for the job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from executor.drivers.base import Job
from executor.outcome import Exit, Outcome, failure
from executor.ssh.sending import INLINE
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State

NOT_RUN = 127  # what the shell there ends with, too, when there is no program
FAULTS: dict[str, Callable[[str, str, str], str]] = {
    "absent": lambda shown, target, rest: f"artifact {shown!r} not found on {target}; looked in: {rest}",
    "noexec": lambda shown, target, _: (
        f"artifact {shown} was sent to {target}, where the home directory is mounted noexec: only scripts run there"
    ),
    "barred": lambda shown, target, _: f"artifact {shown} on {target} is not executable (chmod +x)",
    "unreadable": lambda shown, target, _: f"artifact {shown} on {target} cannot be read by its user",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended. ``code`` None: nobody knows. ``fault``: why its program could not be run."""

    code: int | None
    fault: str = ""
    values: Mapping[str, str] | None = None  # variables at its end
    too_much: bool = False  # its file of outputs is too large


def outcome(job: Job, target: str, ending: Ending) -> Outcome:
    """Return what an end means for the job, which ran on the host ``target``."""
    artifact = job.attempt.artifact
    shown = "the inline script" if artifact.startswith(INLINE) or "\n" in artifact else artifact
    if ending.code is None:
        told = (
            f"{target} was restarted, or the job's shell or directory there was removed; what was found of it is dead"
        )
        return job.outcome(Exit(cause="lost", error=told, started_at=job.started_at), shown)
    word, _, rest = ending.fault.partition(" ")
    if ending.code == NOT_RUN and word in FAULTS:  # else the program has written it
        return failure(ReasonCode.ARTIFACT, FAULTS[word](shown, target, rest))
    exit = Exit.exited(ending.code, job.started_at)
    found = job.outcome(exit, shown)
    if found.state == State.SUCCESS and ending.too_much:
        why = "the file of outputs is too large"
        return replace(found, state=State.FAILURE, reason=why, reason_code=ReasonCode.OUTPUT, output={})
    missing = {name: value for name, value in (ending.values or {}).items() if name not in found.output}
    # What was printed beats a variable: only a variable can be an input that was left as it was.
    return job.outcome(exit, shown, missing) if missing and ending.code == 0 else found
