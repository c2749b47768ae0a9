"""Small file operations that are safe in the hub and against what a job may have put in its directory."""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from io import FileIO

REASON_LINES = 5
REASON_BYTES = 1000
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_atomically(path: str, data: bytes) -> None:
    """Write a file of mode 600 that is there as a whole or not at all. It survives the death of this process."""
    new = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(new)  # whatever it is: a pipe would be waited for, a link would be followed
    # Not os.close, which gevent puts off: the file must not be open for writing when it is executed.
    with FileIO(new, "x", opener=private) as file:
        write_all(file.fileno(), data)
    os.replace(new, path)


def write_all(file: int, data: bytes) -> None:
    """Write all of it, or raise: a disk that gets full takes a part first, without a word."""
    while data:
        data = data[os.write(file, data) :]


def no_room(error: OSError) -> bool:
    """Whether the disk is full, or what this user or process may have of it is used up."""
    return error.errno in NO_ROOM


def open_regular(path: str) -> FileIO:
    """Open a file for reading; raises OSError for everything that is no plain file and might block, such as a pipe."""
    file = FileIO(path, "r", opener=_careful)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{path} is not a plain file")
    return file


def size_of(path: str) -> int:
    """Return the size of a file; 0 if there is no plain one."""
    try:
        found = os.lstat(path)
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _end(data: bytes, most: int) -> bytes:
    return data[-most:]


def last_lines(path: str, cut: Callable[[bytes, int], bytes] = _end, reach: int = 0) -> str:
    """Return the last lines of a log that say something, as one text for a reason.

    ``cut`` returns the last bytes of some without secrets, which may begin ``reach`` bytes before what is wanted.
    """
    size = size_of(path)
    if not size:
        return ""
    start = max(0, size - REASON_BYTES - reach)
    try:
        with open_regular(path) as file:
            tail = cut(os.pread(file.fileno(), REASON_BYTES + reach, start), REASON_BYTES)
    except OSError:
        return ""
    if start:
        tail = tail.partition(b"\n")[2] or tail
    lines = [line.rstrip() for line in tail.decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(lines[-REASON_LINES:])


def sync(folder: str) -> None:
    """Let the entries of a folder, and its own, survive a loss of power. What cannot promise that is used as it is."""
    for path in (folder, os.path.dirname(folder)):
        with suppress(OSError):
            directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)


def private(path: str, flags: int) -> int:
    """Open a file so that one that is made gets mode 600: an ``opener``."""
    return os.open(path, flags, 0o600)


def _careful(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
