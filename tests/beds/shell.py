"""The engine ``shell``: programs of this machine."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beds import Bed, Node


class Shell(Bed):
    """Inline scripts."""

    name = "shell"

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        text = "\n".join(["#!/bin/sh", *lines, ""])
        return {"name": "n", "engine": "shell", "artifact": text, "args": [*args], "env": dict(env or {}), **fields}

    def missing(self) -> tuple[Node, str, str]:
        return (
            {"name": "n", "engine": "shell", "artifact": "no-such-program"},
            "artifact",
            "'no-such-program' not found",
        )


def bed(_: Path) -> Iterator[Bed]:
    yield Shell()
