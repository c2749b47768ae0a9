"""Beds: what the contract of engines needs of each engine, and the real thing that stands behind it."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

Node = dict[str, Any]


class Bed:
    """How the cases of the contract are said to one engine. A program is some lines of POSIX shell."""

    name = ""
    at_once = 20  # nodes that start together
    timeout = 1.0  # seconds: mostly enough for a node to begin its work
    leaves_running = True  # what a node has started lives on after its success
    proves_death = True  # what ends by a kill is gone when that is told; else it is a moment later
    runs_programs = True  # else there is nothing that prints, and no process
    follows = True  # a log is told in the order in which it was printed, however much there is at once
    failed = "exit"  # the reason code of a program that fails

    def exit_code(self, status: int) -> int | None:
        """Return the exit code of a node whose program ended with this status."""
        return status

    def settings(self) -> Mapping[str, str]:
        """Return the executor's settings, without the prefix of their variables."""
        return {}

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        """Return the node that runs these lines, with arguments as ``$1`` and so on."""
        raise NotImplementedError

    def output(self, name: str, value: str) -> str:
        """Return the line that makes an output; ``value`` is a word of the shell."""
        return f'echo {name}="{value}"'

    def open_gate(self, path: str) -> None:
        """Make a file where programs of this engine see it."""
        Path(path).touch()

    def changed(self) -> tuple[Mapping[str, str], bool]:
        """Return settings with which an executor is started again, and whether nodes then fail to start."""
        return {"capacity": "2", "env_allow": ""}, False

    def missing(self) -> tuple[Node, str, str]:
        """Return a node whose artifact is not there, the reason code that it gets, and a part of the reason."""
        raise NotImplementedError


def needs(*programs: str) -> None:
    """Skip without these programs; fail where everything must be there."""
    folders = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    absent = [program for program in programs if shutil.which(program, path=folders) is None]
    if not absent:
        return
    text = f"not installed: {', '.join(absent)}; .ci/run installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    pytest.skip(text)
