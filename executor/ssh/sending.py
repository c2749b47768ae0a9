"""What of a node's artifact is sent to the other host: an inline script, or a file of the artifact directories."""

import os
from collections.abc import Sequence

import gevent

from executor import artifacts
from executor.files import open_regular
from executor.ssh.request import Program

INLINE = "#!"
LARGEST = 8 * 2**20  # bytes
SMALL = 256 * 1024  # bytes that are read without a native thread


class Unusable(Exception):
    """An artifact cannot be sent; the text says why."""


def program(artifact: str, folders: Sequence[str], *, inline: bool) -> Program:
    """Return what an artifact stands for. ``inline``: it is a script itself. Raises :class:`Unusable`."""
    if not artifact:
        raise Unusable(artifacts.NOTHING)
    if inline:
        return Program("", artifact.encode(errors="surrogatepass"))
    found = artifacts.find(artifact, folders)
    path = os.path.realpath(found) if found else ""
    # What is elsewhere on this machine is not for others, and the same path may well be a program of the host.
    inside = any(path.startswith(os.path.realpath(folder) + os.sep) for folder in folders)
    return Program(artifact, _content(path) if inside else None)


def _content(path: str) -> bytes:
    size = os.stat(path).st_size
    if size > LARGEST:
        raise Unusable(f"artifact {path} has {size} bytes, and at most {LARGEST} are sent: put it on the host")
    # As a value: gevent prints a traceback of whatever is raised in its threads.
    found = _read(path) if size <= SMALL else gevent.get_hub().threadpool.apply(_read, (path,))
    if isinstance(found, OSError):
        raise Unusable(f"artifact {path} cannot be read: {found.strerror}")
    return found


def _read(path: str) -> bytes | OSError:
    try:
        with open_regular(path) as file:
            return file.readall()
    except OSError as error:
        return error
