"""The child process that draws a graph: its JSON comes in on standard input, the drawing goes out, packed with zlib.

``{"size": n, "needs": [[0, 1], …]}`` or ``{"size": n, "digraph": [0, 1, …]}``. It is bound by itself, in case nobody is
left who would stop it, and gives way to the service. What the library cannot do ends it: its faults abort the process.
With the argument ``simple`` it does without the library.
"""

import json
import os
import resource
import sys
import zlib
from collections.abc import Sequence
from typing import Any

from gorchestrator.domain.digraph import edges_of_matrix
from gorchestrator.web.layout.drawing import draw

CPU = 20  # seconds
MEMORY = 2 * 2**30  # bytes
_NICE = 5


def main() -> None:
    """Draw one graph."""
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found = draw(_needs(json.load(sys.stdin.buffer)), simple="simple" in sys.argv[1:])
    sys.stdout.buffer.write(zlib.compress(json.dumps(found, separators=(",", ":")).encode()))


def _needs(graph: dict[str, Any]) -> Sequence[Sequence[int]]:
    needs: Sequence[Sequence[int]] | None = graph.get("needs")
    return edges_of_matrix(graph["digraph"], graph["size"], [], lambda: None) if needs is None else needs


if __name__ == "__main__":
    main()
