"""A TCP proxy between the two services, through which a test breaks the network: cut, slow, half-open, or half lost."""

import socket
import struct
import threading
import time
from contextlib import suppress

UP, DOWN = "up", "down"  # towards the executor, and back
_TICK = 0.01  # seconds between two looks at whether bytes are still held


class Link:
    """One connection through the proxy. Bytes in a direction that is ``held`` wait; they are not lost."""

    def __init__(self, proxy: "Proxy", front: socket.socket, back: socket.socket) -> None:
        self.proxy = proxy
        self.held = set(proxy.held)
        self.ends = (front, back)
        self.broken = False
        ways = ((front, back, UP), (back, front, DOWN))
        self.threads = [threading.Thread(target=self._pump, args=way) for way in ways]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Break the connection; what is held is lost."""
        self.broken = True
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _pump(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        with suppress(OSError):
            while data := source.recv(self.proxy.piece):
                if way == UP and 0 < self.proxy.trap <= len(data):
                    self.held, self.proxy.trap = {self.proxy.trap_holds}, 0
                    self.proxy.trapped = self
                self._wait(way)
                sink.sendall(data)
            self._wait(way)
            sink.shutdown(socket.SHUT_WR)

    def _wait(self, way: str) -> None:
        time.sleep(self.proxy.delay)
        while way in self.held and not self.broken:
            time.sleep(_TICK)
        if self.broken:
            raise OSError("cut")


class Proxy:
    """Listens on a port of its own and passes everything on to ``port``, which may change."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.away = False  # new connections are closed at once
        self.held: set[str] = set()  # of connections to come
        self.delay = 0.0  # seconds before each piece
        self.piece = 65536  # bytes
        self.trap = 0  # bytes; the first piece towards the executor that is as large is held, with its connection
        self.trap_holds = UP  # or DOWN: what is trapped arrives, and its answer is held
        self.trapped: Link | None = None
        self.links: list[Link] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def cut(self, but: Link | None = None) -> None:
        """Break all connections, and let nobody connect until :meth:`mend`.

        What is held of the one in ``but`` is not lost: it can reach the executor later, though its sender is cut off.
        """
        self.away = True
        for link in self.links:
            if link is but:
                link.ends[0].shutdown(socket.SHUT_RDWR)
            else:
                link.stop()

    def hang_up(self) -> None:
        """Break all connections."""
        for link in self.links:
            link.stop()

    def hold(self, *ways: str) -> None:
        """Hold the bytes of these directions, of all connections that are there and to come."""
        self.held = set(ways)
        for link in self.links:
            link.held = set(ways)

    def mend(self) -> None:
        """Let new connections through as if nothing had been; those that are there stay as they are."""
        self.away, self.held, self.delay, self.piece = False, set(), 0.0, 65536

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.hang_up()
        for link in self.links:
            for thread in link.threads:
                thread.join()
            for end in link.ends:
                end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._connect(self._listener.accept()[0])

    def _connect(self, front: socket.socket) -> None:
        try:
            if self.away:
                raise OSError("cut")
            back = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            front.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
            front.close()
            return
        back.settimeout(None)
        for end in (front, back):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, front, back)
        self.links.append(link)
        link.start()
