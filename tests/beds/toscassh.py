"""The engine ``toscassh``: scripts of another host, whose inputs and outputs are variables."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beds import Node
from beds.ssh import Bed, Ssh, sshd


class Toscassh(Ssh):
    """Inline scripts without a first line, so that /bin/sh runs them; arguments are inputs A1, A2 and so on."""

    name = "toscassh"

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        inputs = [f"A{number}={value}" for number, value in enumerate(args, 1)]
        prologue = "set -- " + " ".join(f'"$A{number}"' for number in range(1, len(args) + 1))
        text = "\n".join([prologue if args else ":", *lines, ""])
        return self._of(text) | {"args": inputs, "env": dict(env or {}), **fields}

    def output(self, name: str, value: str) -> str:
        return f'{name}="{value}"'

    def missing(self) -> tuple[Node, str, str]:
        return self._of("no-such-script.sh"), "artifact", "'no-such-script.sh' not found on bed"


def bed(folder: Path) -> Iterator[Bed]:
    with sshd(folder / "sshd") as server:
        yield Toscassh(server)
