"""What folders, archives and the network have in common: names of files, the size of one, and how one is refused."""

import posixpath

from gorchestrator.tosca.faults import Fault, Place, ToscaError

MAX_FILE = 16 << 20  # bytes of one file


def normal(path: str) -> str | None:
    """Return a relative path in its shortest form; None for one that is absolute, empty or no path at all."""
    path = path.replace("\\", "/")
    if not path or path.startswith("/") or "\0" in path or path[1:2] == ":":
        return None
    return posixpath.normpath(path)


class TooLarge(ToscaError):
    """A file of more than :data:`MAX_FILE`."""

    def __init__(self, file: str) -> None:
        super().__init__([Fault(Place(file), f"is larger than {MAX_FILE >> 20} MiB")])


def refusal(file: str, text: str) -> ToscaError:
    """Return the error about a whole file."""
    return ToscaError([Fault(Place(file), text)])
