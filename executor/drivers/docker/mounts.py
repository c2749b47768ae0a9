"""What a container sees of this machine's files: a source is resolved once, and what was allowed is what is handed on.

A daemon takes a path and follows it again when it starts the container. So it is given one without links, and just
before, it is looked at once more: whatever has come upon its way meanwhile is noticed.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mount:
    """A file or directory for a container."""

    asked: str  # as the node says it
    source: str  # what that led to when it was resolved; no link in it
    target: str  # in the container, normalised
    read_only: bool

    @property
    def order(self) -> dict[str, Any]:
        """What the API is told."""
        return {"Type": "bind", "Source": self.source, "Target": self.target, "ReadOnly": self.read_only}


def resolve(options: Mapping[str, Any]) -> tuple[Mount, ...]:
    """Return the mounts that a node asks for."""
    return tuple(
        Mount(each["source"], os.path.realpath(each["source"]), normal(each["target"]), each["read_only"])
        for each in options.get("mounts", ())
    )


def normal(target: str) -> str:
    """Return a path in the container as the daemon understands it."""
    return os.path.normpath("/" + target.lstrip("/"))


def moved(mounts: Iterable[Mount], made: Mapping[str, Any] | None) -> str | None:
    """Return which mount is not what was allowed any more; None if none is.

    ``made``: what the daemon knows of the container, if an executor before this one may have made it.
    """
    mounts = tuple(mounts)
    handed = {each.target: each.source for each in mounts}
    if made is not None:
        handed = {each["Destination"]: each["Source"] for each in made.get("Mounts", ())}
    for each in mounts:
        if not each.source == os.path.realpath(each.asked) == handed.get(each.target):
            return (
                f"a mount of {each.asked}: what it leads to has changed after it was allowed as {each.source};"
                " nothing was started"
            )
    return None
