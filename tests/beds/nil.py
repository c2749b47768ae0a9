"""The engine ``nil``: of a program there is nothing."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beds import Bed, Node


class Nil(Bed):
    """Does nothing."""

    name = "nil"
    runs_programs = False

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        return {"name": "n", "engine": "nil", "args": [*args], **fields}


def bed(_: Path) -> Iterator[Bed]:
    yield Nil()
