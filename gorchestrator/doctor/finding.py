"""What a check finds: how bad it is, what is so, and what to do. Apart from the checks, which all make these."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: nothing is, or it will be or might be, or something does not work or is not safe."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer.

    ``check``: the group of checks. ``subject``: the file, the executor or whatever it is about. ``advice``: what to do;
    empty where there is nothing to be done.
    """

    check: str
    subject: str
    level: Level
    says: str
    advice: str = ""


class Findings:
    """Makes the findings of one group of checks about one subject."""

    def __init__(self, check: str, subject: object) -> None:
        self._check = check
        self._subject = str(subject)

    def ok(self, says: str) -> Finding:
        """Return that all is well."""
        return Finding(self._check, self._subject, Level.OK, says)

    def warning(self, says: str, advice: str) -> Finding:
        """Return what is no fault yet, or might be none."""
        return Finding(self._check, self._subject, Level.WARNING, says, advice)

    def fault(self, says: str, advice: str) -> Finding:
        """Return what does not work, or is not safe."""
        return Finding(self._check, self._subject, Level.FAULT, says, advice)
