"""The log of a job, of which head and tail are kept: the middle is a hole in the file, so that offsets stay true.

The hole begins and ends with blocks of the file system, which tells where it is: nothing else has to be written down.
"""

import ctypes
import os
import stat
from io import FileIO

from executor.files import open_regular

PUNCH_HOLE, KEEP_SIZE = 0x2, 0x1
STEPS = 8  # a hole grows by at least this part of the limit


def head(limit: int) -> int:
    """Return how many bytes are kept at the start; the rest of the limit is kept at the end."""
    return limit // 2


def step(limit: int) -> int:
    """Return by how much a log must have grown for its hole to be made larger."""
    return limit // STEPS


def gap(file: FileIO, limit: int) -> tuple[int, int]:
    """Return where the hole of an open log begins and ends; its size twice if it has none. It moves the position."""
    size = os.fstat(file.fileno()).st_size
    if size <= limit:
        return size, size
    first = os.lseek(file.fileno(), 0, os.SEEK_HOLE)
    if first >= size:
        return size, size
    try:
        return first, os.lseek(file.fileno(), first, os.SEEK_DATA)
    except OSError:  # there is nothing behind it
        return first, size


def read(path: str, start: int, most: int, limit: int) -> tuple[bytes, int, int]:
    """Return bytes of a log, where they begin, and the log's size.

    They are at most ``most``, from ``start`` on or, if that was left out, from the end of the hole; they end before it.
    """
    try:
        file = open_regular(path)
    except OSError:
        return b"", start, 0
    with file:
        while True:
            data = os.pread(file.fileno(), most, start) if most else b""
            size = os.fstat(file.fileno()).st_size
            first, behind = gap(file, limit)  # after reading: the hole may have reached what was read
            if not (data and first <= start < behind):
                return (data[: first - start] if start < first else data), start, size
            start = behind


def punch(path: str, limit: int) -> OSError | None:
    """Punch the middle out of a log that is too long; returns why it cannot be. For a native thread."""
    try:
        with FileIO(path, "r+", opener=_careful) as file:
            found = os.fstat(file.fileno())
            block = found.st_blksize
            first = -(-head(limit) // block) * block
            behind = (found.st_size - (limit - head(limit))) // block * block
            if stat.S_ISREG(found.st_mode) and behind > first:
                _fallocate(file.fileno(), first, behind - first)
    except OSError as error:
        return error
    return None


def _fallocate(file: int, first: int, length: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(file, PUNCH_HOLE | KEEP_SIZE, ctypes.c_long(first), ctypes.c_long(length)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _careful(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
