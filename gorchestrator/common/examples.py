"""Where the example gorchs are: in the installed package as ``gorchestrator.examples``, in a checkout as ``examples/``.

It lives here because both the API, which shows them, and the command, which runs them, read them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

EXPECTED = "expected.json"


@dataclass(frozen=True)
class ExampleFile:
    """A gorch as it is written. ``needs``: what has to be there beyond a fresh machine; ``ends``: how it has to end."""

    file: str
    text: str
    needs: str
    ends: Mapping[str, Any]

    @property
    def gorch(self) -> Any:
        """The document itself."""
        return json.loads(self.text)


@cache
def read_all() -> tuple[ExampleFile, ...]:
    """Return all examples, as they are now and stay while the process lives."""
    folder = _folder()
    expected: dict[str, dict[str, Any]] = json.loads(folder.joinpath(EXPECTED).read_text("utf-8"))
    return tuple(
        ExampleFile(file, folder.joinpath(file).read_text("utf-8"), ends.get("needs", ""), ends)
        for file, ends in expected.items()
    )


def _folder() -> Traversable:
    try:
        installed = files("gorchestrator.examples")
    except ModuleNotFoundError:
        return Path(__file__).resolve().parents[2] / "examples"
    return installed
