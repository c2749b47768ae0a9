"""The engine ``ssh``: programs of another host, which is this one behind a real sshd."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beds import Bed, Node
from ssh_support import HOST, Sshd, sshd


class Ssh(Bed):
    """Inline scripts."""

    name = "ssh"
    timeout = 2.0  # making a connection counts

    def __init__(self, server: Sshd) -> None:
        self.server = server

    def settings(self) -> Mapping[str, str]:
        return self.server.settings

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        text = "\n".join(["#!/bin/sh", *lines, ""])
        return self._of(text) | {"args": [*args], "env": dict(env or {}), **fields}

    def missing(self) -> tuple[Node, str, str]:
        return self._of("no-such-program"), "artifact", f"'no-such-program' not found on {HOST}"

    def _of(self, artifact: str) -> Node:
        return {"name": "n", "engine": self.name, "target": HOST, "artifact": artifact}


def bed(folder: Path) -> Iterator[Bed]:
    with sshd(folder / "sshd") as server:
        yield Ssh(server)
