"""The keeper, ``python -m executor.keeper DATA``: a small process without gevent that forks the shims.

The executor execs it in a session of its own, with one end of a socket pair as descriptor 3, and sends a descriptor
over it for each shim that it wants: the shim's first connection. So nothing has to be answered: when keeper or shim
die, the other end of that connection says so. The keeper ends when it has neither shims nor executor; an executor that
starts again starts its own. Standard library only, one thread.
"""

import os
import select
import socket
import sys
from contextlib import suppress

from executor import names
from executor.shim import Shim, watch_children
from gorchestrator.common import openfiles

CONTROL = 3


class Keeper:
    """Forks shims and collects those that have ended."""

    def __init__(self, control: socket.socket, data: int) -> None:
        self.control = control
        self.data = data
        self.shims: set[int] = set()
        self.wanted = True
        self.children = watch_children(b"gorch-keeper")
        self.poll = select.poll()
        for readable in (self.children, self.control):
            self.poll.register(readable, select.POLLIN)

    def serve(self) -> socket.socket | None:
        """Work to the end. In a forked shim it returns at once, with the shim's first connection."""
        while self.wanted or self.shims:
            for number, _ in self.poll.poll():
                if number == self.children.fileno():
                    self._collect()
                elif first := self._fork():
                    return first
        return None

    def _fork(self) -> socket.socket | None:
        try:
            order, sent, _, _ = socket.recv_fds(self.control, 1, 1)
        except ConnectionError:
            order, sent = b"", []
        if not order:
            self.wanted = False
            self.poll.unregister(self.control)
            return None
        os.set_inheritable(sent[0], False)  # recv_fds ignores the flag for it; jobs must not hold it
        first = socket.socket(fileno=sent[0])
        pid = os.fork()
        if not pid:
            self.control.close()
            self.children.close()
            return first
        self.shims.add(pid)
        first.close()
        return None

    def _collect(self) -> None:
        self.children.recv(4096)
        while self.shims:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self.shims.discard(pid)
            # One that was killed could not remove it.
            with suppress(FileNotFoundError):
                os.unlink(f"{names.SHIMS}/{pid}.sock", dir_fd=self.data)


def main() -> None:
    """Run a keeper, or what it becomes by forking."""
    os.closerange(CONTROL + 1, os.sysconf("SC_OPEN_MAX"))  # such as the listening socket of the server above us
    openfiles.restore()
    data = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
    os.chdir("/")  # it outlives the executor, and must not keep where that was started from being unmounted
    first = Keeper(socket.socket(fileno=CONTROL), data).serve()
    if first:
        Shim(first, data).serve()


if __name__ == "__main__":
    main()
