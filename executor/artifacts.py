"""Finding artifacts: what a node names, in the artifact directories of this executor. Shared by the drivers.

Some start them here, some read them, some send them to other hosts; where they are looked up is the same for all.
"""

import os
import shutil
from collections.abc import Mapping, Sequence

from executor.outcome import Outcome, failure
from gorchestrator.common.reasons import ReasonCode

NOTHING = "the node has no artifact: nothing to run"


def find(artifact: str, folders: Sequence[str]) -> str | None:
    """Return the path of the first file of this name in the directories, or of that at an absolute path."""
    return next(filter(os.path.isfile, _places(artifact, folders)), None)


def program(artifact: str, folders: Sequence[str], env: Mapping[str, str]) -> str | Outcome:
    """Return the path of a program of the directories or of PATH, or the failure that says where it was looked for."""
    path = env.get("PATH", "") if "/" not in artifact else None
    return _find(artifact, folders, path, executable=True)


def file(artifact: str, folders: Sequence[str]) -> str | Outcome:
    """Return the path of a file of the directories that need not be executable; failures as with programs."""
    return _find(artifact, folders, None, executable=False)


def _find(artifact: str, folders: Sequence[str], path: str | None, *, executable: bool) -> str | Outcome:
    if not artifact:
        return failure(ReasonCode.ARTIFACT, NOTHING)
    there = find(artifact, folders)
    if there:
        return _usable(there, executable=executable)
    found = shutil.which(artifact, path=path) if path else None
    return os.path.abspath(found) if found else _missing(artifact, _places(artifact, folders), path)


def _places(artifact: str, folders: Sequence[str]) -> list[str]:
    return [artifact] if os.path.isabs(artifact) else [os.path.join(folder, artifact) for folder in folders]


def _usable(path: str, *, executable: bool) -> str | Outcome:
    if executable and not os.access(path, os.X_OK):
        return failure(ReasonCode.ARTIFACT, f"artifact {path} is not executable (chmod +x)")
    if not executable and not os.access(path, os.R_OK):
        return failure(ReasonCode.ARTIFACT, f"artifact {path} cannot be read by the executor's user")
    return path


def _missing(artifact: str, tried: Sequence[str], path: str | None) -> Outcome:
    places = [*tried, *([f"PATH ({path})"] if path is not None else [])]
    where = ", ".join(places) or "no directory (the executor's artifact_dirs is empty)"
    return failure(ReasonCode.ARTIFACT, f"artifact {artifact!r} not found; looked in: {where}")
