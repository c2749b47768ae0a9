"""What a node produced: ``key=value`` lines of its log for the declared keys, and of ``$GORCH_OUTPUT`` for any key.

The last line of a key wins, and the file beats the log. Logs may be huge: they are read piece by piece, in a native
thread unless they are small, and no more than a line is kept.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping, Set
from io import FileIO
from types import MappingProxyType

import gevent

from executor import capped
from executor.files import open_regular
from gorchestrator.common.wire import OUTPUT_LIMIT, VALUE_LIMIT

PIECE = 256 * 1024
SMALL = 64 * 1024  # few enough that the search in it does not hold the hub up
KEY_LIMIT = 1024  # bytes
LINE_LIMIT = KEY_LIMIT + 1 + VALUE_LIMIT + 1
LINE = re.compile(rb"^([^=\n]{1,%d})=(.*)$" % KEY_LIMIT, re.MULTILINE)


class OutputTooLarge(Exception):
    """An output is larger than it may be."""


class Scanner:
    """Finds ``key=value`` lines in pieces of bytes."""

    def __init__(self, keys: Set[bytes] | None) -> None:
        """``keys``: those that count; None: any."""
        self.keys = keys
        self.found: dict[bytes, bytes] = {}
        self.size = 0
        self.rest = b""  # of a line whose end was not seen yet
        self.skipping = False  # what follows belongs to a line that is too long to matter

    def feed(self, piece: bytes) -> None:
        """Take the next bytes; raises :class:`OutputTooLarge`."""
        if self.skipping:
            _, newline, piece = piece.partition(b"\n")
            self.skipping = not newline
        whole, _, self.rest = (self.rest + piece).rpartition(b"\n")
        self._search(whole)
        if self.skipping or len(self.rest) > LINE_LIMIT:
            self._search(self.rest)  # if it is an output, it is too large
            self.rest, self.skipping = b"", True

    def jump(self) -> None:
        """Forget the line whose end was left out, and skip that whose start was."""
        self.rest, self.skipping = b"", True

    def close(self) -> dict[str, str]:
        """Return what was found; a last line needs no end."""
        self._search(self.rest)
        return {_text(key): _text(value) for key, value in self.found.items()}

    def _search(self, text: bytes) -> None:
        for match in LINE.finditer(text):
            key, value = match[1], match[2].removesuffix(b"\r")
            if self.keys is not None and key not in self.keys:
                continue
            if len(value) > VALUE_LIMIT:
                raise OutputTooLarge(f"output {_text(key)!r} is larger than {VALUE_LIMIT} bytes")
            old = self.found.get(key)
            self.size += len(value) - len(old) if old is not None else len(key) + len(value)
            if self.size > OUTPUT_LIMIT:
                raise too_large()
            self.found[key] = value


def too_large() -> OutputTooLarge:
    """Return the fault of outputs that are together too large."""
    return OutputTooLarge(f"the outputs are together larger than {OUTPUT_LIMIT} bytes")


def collect(
    log: str, log_limit: int, declared: Iterable[str], file: str, more: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Return the outputs of a node, as far as its log is kept, and ``more``; raises :class:`OutputTooLarge`."""
    keys = {key.encode() for key in declared}
    found = _scan(log, keys, log_limit) if keys else {}
    found |= _scan(file, None, sys.maxsize)
    for key, value in more.items():
        if len(value.encode()) > VALUE_LIMIT:
            raise OutputTooLarge(f"output {key!r} is larger than {VALUE_LIMIT} bytes")
        found[key] = value
    if sum(len(key.encode()) + len(value.encode()) for key, value in found.items()) > OUTPUT_LIMIT:
        raise too_large()
    return found


def _scan(path: str, keys: Set[bytes] | None, limit: int) -> dict[str, str]:
    try:
        file = open_regular(path)
    except OSError:
        return {}
    scanner = Scanner(keys)
    with file:
        size = os.fstat(file.fileno()).st_size  # what still runs may go on writing
        if size <= SMALL:
            scanner.feed(file.read(size))
        elif fault := gevent.get_hub().threadpool.apply(_feed, (scanner, file, size, limit)):
            raise fault
    return scanner.close()


def _feed(scanner: Scanner, file: FileIO, size: int, limit: int) -> OutputTooLarge | None:
    # As a value: gevent prints a traceback of whatever is raised in its threads.
    try:
        first, behind = capped.gap(file, limit)
        file.seek(0)
        _feed_until(scanner, file, min(first, size))
        if behind < size:
            scanner.jump()
            file.seek(behind)
            _feed_until(scanner, file, size)
    except OutputTooLarge as fault:
        return fault
    return None


def _feed_until(scanner: Scanner, file: FileIO, end: int) -> None:
    while piece := file.read(max(0, min(PIECE, end - file.tell()))):
        scanner.feed(piece)


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")
