"""What is wrong with a template, and where: faults and warnings are collected, so that all are told at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the file as the user knows it, the line (from 1, 0 if unknown), the path in the document.

    ``path`` is made of keys and numbers, such as ``("topology_template", "node_templates", "web", "requirements", 0)``.
    """

    file: str
    line: int = 0
    path: tuple[str | int, ...] = ()

    def below(self, *keys: str | int, line: int = 0) -> "Place":
        """Return the place of a part; its line is this one's if it is not known."""
        return Place(self.file, line or self.line, (*self.path, *keys))

    def __str__(self) -> str:
        """Tell it as ``FILE:LINE: path.in.the.template``."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path).lstrip(".")
        return f"{where}: {path}" if path else where


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong (or, as a warning, was ignored), told so that its author can mend it."""

    place: Place
    text: str

    def __str__(self) -> str:
        """Tell where and what."""
        return f"{self.place}: {self.text}"


class ToscaError(Exception):
    """A template that cannot become a gorch; ``faults`` has at least one."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass(slots=True)
class Report:
    """Collects faults and warnings on the way; each phase ends with :meth:`check`."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    _seen: set[tuple[bool, Fault]] = field(default_factory=set)

    def fault(self, place: Place, text: str) -> None:
        """Note what keeps the template from being converted."""
        self._note(True, place, text)

    def warn(self, place: Place, text: str) -> None:
        """Note what was ignored."""
        self._note(False, place, text)

    def check(self, *, strict: bool = False) -> None:
        """Raise ToscaError if there are faults; ``strict``: or warnings."""
        found = self.faults + (self.warnings if strict else [])
        if found:
            raise ToscaError(found)

    def _note(self, wrong: bool, place: Place, text: str) -> None:
        fault = Fault(place, text)
        if (wrong, fault) not in self._seen:
            self._seen.add((wrong, fault))
            (self.faults if wrong else self.warnings).append(fault)
