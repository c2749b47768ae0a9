"""Tells when a file grows, by inotify, so that who waits for a log need not look again and again."""

import ctypes
import logging
import os
import struct

import gevent
from gevent import socket
from gevent.event import Event

log = logging.getLogger(__name__)

IN_MODIFY = 0x2
IN_Q_OVERFLOW = 0x4000
IN_IGNORED = 0x8000  # the watch is gone: it was used up, or the file is
IN_ONESHOT = 0x80000000
HEADER = struct.Struct("iIII")  # watch, mask, cookie, length of the name


class Growth:
    """One inotify instance. A watch lasts until the file's next growth, so that a busy log costs nothing."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.file = self.libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.file < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self.events: dict[int, Event] = {}
        self.reader = gevent.spawn(self._read)

    def next(self, path: str) -> Event | None:
        """Return an event that is set when the file grows; None if it cannot be watched, such as one not there yet."""
        watch = self.libc.inotify_add_watch(self.file, os.fsencode(path), IN_MODIFY | IN_ONESHOT)
        return None if watch < 0 else self.events.setdefault(watch, Event())

    def close(self) -> None:
        """Stop watching."""
        self.reader.kill()
        os.close(self.file)

    def _read(self) -> None:
        while True:
            socket.wait_read(self.file)
            data = os.read(self.file, 64 * 1024)
            while data:
                watch, mask, _, length = HEADER.unpack_from(data)
                data = data[HEADER.size + length :]
                self._note(watch, mask)

    def _note(self, watch: int, mask: int) -> None:
        if mask & IN_Q_OVERFLOW:
            for event in self.events.values():
                event.set()
        elif mask & IN_IGNORED:
            self.events.pop(watch, Event()).set()
        elif watch in self.events:
            self.events.pop(watch).set()
