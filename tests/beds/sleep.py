"""The engine ``sleep``: of a program there is only how long it sleeps."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beds import Bed, Node


class Sleep(Bed):
    """Waits as long as the first ``sleep`` of the lines; not at all if there is none."""

    name = "sleep"
    runs_programs = False

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        found = re.search(r"\bsleep (\d+)", "\n".join(lines))
        return {"name": "n", "engine": "sleep", "args": [found[1] if found else "0"], **fields}

    def missing(self) -> tuple[Node, str, str]:
        node = {"name": "n", "engine": "sleep", "args": ["soon"]}
        return node, "argument", "takes a number of seconds as its first argument, not 'soon'"


def bed(_: Path) -> Iterator[Bed]:
    yield Sleep()
