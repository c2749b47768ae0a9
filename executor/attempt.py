"""What is asked of the executor: one attempt of a node, as the domain of this service sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# The target may be nothing but the executor's name.
HONOURED_BY_ALL = frozenset({"name", "engine", "target", "traceparent"})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. Two are the same if they are equal, whoever asks, and in whichever trace."""

    name: str
    engine: str
    artifact: str
    args: tuple[str, ...]
    target: str
    env: Mapping[str, str | Mapping[str, str]]  # a value may be ``{"secret": NAME}``
    output: tuple[str, ...]  # names to look for in the log
    timeout: float | None  # seconds
    options: Mapping[str, Any] = field(default_factory=dict)  # the engine's own; see ``Driver.options``
    traceparent: str = field(default="", compare=False)  # the trace context that it runs in

    @classmethod
    def from_wire(cls, document: Mapping[str, Any], traceparent: str | None = None) -> "Attempt":
        """Make one out of what the schemas of ``common.wire`` loaded, and of the header that came with it."""
        return cls(
            name=document["name"],
            engine=document["engine"],
            artifact=document["artifact"],
            args=tuple(document["args"] or ()),
            target=document["target"],
            env=document["env"],
            output=tuple(document["output"] or ()),
            timeout=document["timeout"],
            options=document.get("options") or {},
            traceparent=traceparent or "",
        )

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        traced = {"traceparent": self.traceparent} if self.traceparent else {}  # else as versions before it wrote it
        return {name: getattr(self, name) for name in self.__slots__ if name != "traceparent"} | traced

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Attempt":
        """Make one out of what :meth:`to_json` returned."""
        return cls(**dict(document) | {"args": tuple(document["args"]), "output": tuple(document["output"])})

    def fields_used(self) -> frozenset[str]:
        """Return the names of the fields that say something."""
        given = (name for name in self.__slots__ if getattr(self, name) not in ("", None, (), {}))
        return frozenset(given) - {"options"} | {f"options.{name}" for name in self.options}


NOTHING = Attempt("", "", "", (), "", {}, (), None)  # of a tombstone: it was cancelled before it came


def parts(job_id: str) -> tuple[str, str, str]:
    """Return run, node and attempt number of a job's id."""
    run, node, attempt = job_id.split(".")
    return run, node, attempt
