"""A shim: the small process above one job after another, which outlives executor and keeper. Standard library only.

It is a child subreaper outside the job's session: whatever the job starts, however often it forks and whatever
session or environment it gives itself, stays below the shim. It says that a job has ended only when that is written in
the job's directory. One thread, one poll; it never waits for a peer.

Messages are JSON lines. To the shim: ``{"do": "start", "job", "folder", "argv", "env", "cwd", "timeout", "grace"}``,
``attach``, ``kill`` (with ``grace``), ``release``, each with ``job``. From it: ``ended`` (see ``names.EXIT``),
``survivors``, ``refused``, and ``serving`` as the answer to ``attach``.
"""

import ctypes
import os
import select
import signal
import socket
from contextlib import suppress
from typing import Any

from executor import names
from executor.files import sync
from executor.lines import Lines
from executor.supervised import IGNORED, Supervised

PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36


class Shim:
    """Serves its connections and its job until it is not needed any more."""

    def __init__(self, first: socket.socket, data: int) -> None:
        """``first``: the connection to the executor that asked for it. ``data``: descriptor of the data directory."""
        self.poll = select.poll()
        self.peers: dict[int, Lines] = {}
        self.job: Supervised | None = None
        self.retired = False
        become_reaper()
        self.children = watch_children(b"gorch-shim")
        # Paths of sockets are at most 107 bytes long; this one is short wherever the data directory is.
        self.path = f"/proc/self/fd/{data}/{names.SHIMS}/{os.getpid()}"
        self.listener = self._listen()
        for readable in (self.children, self.listener):
            self.poll.register(readable, select.POLLIN)
        self._connect(first)

    def serve(self) -> None:
        """Work until a job left something running that may live on, or until there is neither job nor executor."""
        while not self.retired and (self.job or self.peers):
            for number, _ in self.poll.poll(self.job.wait_ms() if self.job else None):
                self._readable(number)
            if self.job:
                self._look_after(self.job)
        with suppress(FileNotFoundError):
            os.unlink(f"{self.path}.sock")

    def _listen(self) -> socket.socket:
        """Return the socket that the next executor finds. It appears only when it listens."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with suppress(FileNotFoundError):
            os.unlink(f"{self.path}.new")
        listener.bind(f"{self.path}.new")
        listener.listen()
        listener.setblocking(False)
        os.rename(f"{self.path}.new", f"{self.path}.sock")
        return listener

    def _readable(self, number: int) -> None:
        if number == self.children.fileno():
            self.children.recv(4096)
        elif number == self.listener.fileno():
            with suppress(BlockingIOError, ConnectionError):
                self._connect(self.listener.accept()[0])
        else:
            self._hear(number)

    def _connect(self, peer: socket.socket) -> None:
        peer.setblocking(False)
        self.peers[peer.fileno()] = Lines(peer)
        self.poll.register(peer, select.POLLIN)

    def _hear(self, number: int) -> None:
        lines = self.peers[number]
        messages, over = lines.read()
        for message in messages:
            self._obey(message, lines)
        if over:
            self.poll.unregister(number)
            del self.peers[number]
            lines.close()

    def _obey(self, message: dict[str, Any], peer: Lines) -> None:
        mine = self.job if self.job and self.job.id == message["job"] else None
        match message["do"]:
            case "start":
                self._start(message, peer)
            case "attach":
                peer.write({"serving": mine.news() if mine else None})
                if mine and mine.record and mine.written:
                    peer.write(mine.record)
            case "kill" if mine:
                mine.kill("cancel", message["grace"])
            case "release" if mine:
                self.retired = True

    def _start(self, message: dict[str, Any], peer: Lines) -> None:
        try:
            if self.job:
                raise BlockingIOError(f"busy with {self.job.id}")
            os.symlink(str(os.getpid()), f"{message['folder']}/{names.CLAIM}")
            sync(message["folder"])  # before the start: what may have run is not started again after a loss of power
        except OSError as error:
            peer.write({"refused": str(error), "errno": error.errno})
        else:
            self.job = Supervised(message)

    def _look_after(self, job: Supervised) -> None:
        for news in job.look():
            for peer in self.peers.values():
                peer.write(news)
        if job.over:
            self.job = None


def become_reaper() -> None:
    """Make this process the one to which orphans below it fall."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot become a child subreaper")


def watch_children(name: bytes) -> socket.socket:
    """Name this process, let it ignore what stops services, and return a socket that is readable after SIGCHLD."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name, 0, 0, 0)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    readable, writable = socket.socketpair()
    readable.setblocking(False)
    writable.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writable.detach(), warn_on_full_buffer=False)
    return readable
