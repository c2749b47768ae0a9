"""What the processes of one service share of their settings: the text of the file as it was accepted last.

Anonymous memory that is made before gunicorn forks, so that a worker which begins later goes on with what the others
have, whatever the file says by then; and so that what several processes see is judged by one of them.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_HEADER = struct.Struct("<QQQqqq")  # the count, where the text begins, its size, and the stamp


class Stamp(NamedTuple):
    """What changes with a file: nanoseconds of its last change, inode, bytes. All 0: there is none."""

    changed: int = 0
    inode: int = 0
    size: int = 0


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of a file, through links."""
    try:
        found = path.stat()
    except OSError:
        return Stamp()
    return Stamp(found.st_mtime_ns, found.st_ino, found.st_size)


class Board:
    """A text, how often it was replaced, and the stamp of the file that was judged last."""

    def __init__(self, text: str) -> None:
        self._fd = os.memfd_create("settings", os.MFD_CLOEXEC)
        self.post(text, Stamp(-1))  # not the file's, which may have changed since it was read

    @property
    def count(self) -> int:
        """How often a text was posted; cheap."""
        return self._head()[0]

    @property
    def stamp(self) -> Stamp:
        """The file that was judged last."""
        return Stamp(*self._head()[3:])

    def text(self) -> tuple[int, str]:
        """Return which text it is, and the text. Call it inside of :meth:`mine` where others may post meanwhile."""
        count, place, size, *_ = self._head()
        return count, os.pread(self._fd, size, place).decode()

    def post(self, text: str, stamp: Stamp) -> None:
        """Put up another text, made of the file with ``stamp``."""
        data = text.encode()
        count, old, size, *_ = self._head() if os.fstat(self._fd).st_size else (0, 0, 0)
        # Beside the old one, which stays whole until the header is written: this process may be killed meanwhile.
        place = _HEADER.size if old >= _HEADER.size + len(data) else max(old + size, _HEADER.size)
        os.pwrite(self._fd, data, place)
        os.pwrite(self._fd, _HEADER.pack(count + 1, place, len(data), *stamp), 0)

    def note(self, stamp: Stamp) -> None:
        """Leave the text; the file with ``stamp`` has been judged."""
        count, place, size, *_ = self._head()
        os.pwrite(self._fd, _HEADER.pack(count, place, size, *stamp), 0)

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Keep other processes out. What is done inside is short, so who waits does not let its greenlets go on."""
        fcntl.lockf(self._fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the memory back."""
        os.close(self._fd)

    def _head(self) -> tuple[int, ...]:
        return _HEADER.unpack(os.pread(self._fd, _HEADER.size, 0))
