"""The engine ``shell``: runs a program or a script of this machine. No shell is involved unless a script names one."""

import os
import shutil
from collections.abc import Mapping, Sequence

from executor.drivers.base import Driver, Job
from executor.outcome import Outcome, failure
from gorchestrator.common.reasons import ReasonCode

INLINE = "#!"


class Shell(Driver):
    """Runs an artifact of the artifact directories or of PATH, an absolute path, or an inline script."""

    fields = frozenset({"artifact", "args", "env", "output", "timeout"})

    def run(self, job: Job) -> Outcome:
        """Run the artifact with the arguments as they are."""
        artifact = job.attempt.artifact
        if artifact.startswith(INLINE):
            program, shown = job.script(artifact), "the inline script"
        else:
            found = find(artifact, job.artifact_dirs, job.env)
            if isinstance(found, Outcome):
                return found
            program = shown = found
        return job.outcome(job.command([program, *job.attempt.args]), shown)


def find(artifact: str, folders: Sequence[str], env: Mapping[str, str]) -> str | Outcome:
    """Return the path of an artifact, or the failure that says where it was looked for."""
    if not artifact:
        return failure(ReasonCode.ARTIFACT, "the node has no artifact: nothing to run")
    tried = [os.path.join(folder, artifact) for folder in folders]  # an absolute artifact stays what it is
    path = None
    if os.path.isabs(artifact):
        tried = [artifact]
    elif "/" not in artifact:
        path = env.get("PATH", "")
    for candidate in tried:
        if os.path.isfile(candidate):
            return candidate if os.access(candidate, os.X_OK) else _not_executable(candidate)
    found = shutil.which(artifact, path=path) if path else None
    return os.path.abspath(found) if found else _missing(artifact, tried, path)


def _not_executable(path: str) -> Outcome:
    return failure(ReasonCode.ARTIFACT, f"artifact {path} is not executable (chmod +x)")


def _missing(artifact: str, tried: Sequence[str], path: str | None) -> Outcome:
    places = [*tried, *([f"PATH ({path})"] if path is not None else [])]
    where = ", ".join(places) or "no directory (the executor's artifact_dirs is empty)"
    return failure(ReasonCode.ARTIFACT, f"artifact {artifact!r} not found; looked in: {where}")
