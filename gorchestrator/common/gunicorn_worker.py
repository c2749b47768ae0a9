"""The gevent worker of both services, which ends as soon as nobody is being answered any more.

gunicorn's own looks once a second whether it should end, and takes a connection that is kept open for the next request
for one that is being served: with any client that pools its connections, each stop took as long as gunicorn allows and
ended with SIGKILL. Only gunicorn imports this, by its setting ``worker_class``.
"""

import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http.errors import (  # type: ignore[attr-defined]  # its stubs are older
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.sock import ssl_context
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.wrappers import Response

from gorchestrator.common import serving
from gorchestrator.common.awaiting import HEAD, Late, awaited, wrap_in_time
from gorchestrator.common.credentials import Credentials, TlsFiles, Unusable
from gorchestrator.common.discretion import unquoted
from gorchestrator.common.http import headers, problems
from gorchestrator.common.text import printable
from gorchestrator.common.upkeep import Upkeep

_REFUSALS = {LimitRequestLine: problems.UriTooLong, LimitRequestHeaders: problems.HeadersTooLarge}
_UNREAD = 60_000  # milliseconds in which a client has to take something of what it is sent
_LOOK = 1.0  # seconds between two signs of life to the arbiter
_LOOK_AT_END = 0.02
_LATE = 0.2  # seconds in which who has a connection may still ask, so that nobody is cut off between two packets
_BEFORE_KILL = 0.5  # seconds before the arbiter's SIGKILL at which what is still being answered is given up


class Worker(GeventWorker):
    """Serves until it is told to stop; then answers what has been asked, and ends the connections."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._told = Event()
        self._clients: dict[Any, Any] = {}  # greenlets: the connections that they serve
        self._idle: dict[Any, Late] = {}  # those that wait for the next request: what ends their waiting
        self._served: set[Any] = set()  # greenlets whose connections have had a request
        self._credentials = _credentials(self.cfg) if self.cfg.is_ssl else None

    def run(self) -> None:
        """Serve until the end."""
        try:
            servers = [self._serve(each) for each in self.sockets]
        except Unusable as error:
            serving.cannot_start(error)
        Upkeep(self._credentials, partial(_renew, servers)).start()
        while self.alive:
            self.notify()
            self._told.wait(_LOOK)
        self._answer_the_rest(servers)

    def _answer_the_rest(self, servers: list[Any]) -> None:
        """Return when nobody is being answered any more, or has to be; the end of the process ends all connections."""
        for server in servers:
            server.stop_accepting()
        now = time.monotonic()
        late, limit = now + _LATE, now + self.cfg.graceful_timeout - _BEFORE_KILL
        while now < limit and any(server.pool for server in servers) and (now < late or self._clients):
            if now >= late:
                for server in servers:
                    server.close()  # that cuts off who is still shaking hands
                gevent.get_hub().loop.run_callback(self._end_idle)
            self.notify()
            gevent.sleep(_LOOK_AT_END)
            now = time.monotonic()

    def _end_idle(self) -> None:
        """End what waits for a request that is not on its way; runs in the hub, as timers do."""
        for greenlet, late in list(self._idle.items()):
            if self._idle.get(greenlet) is late and not _has_sent(self._clients[greenlet]):
                greenlet.throw(late)

    def _serve(self, sock: Any) -> Any:
        sock.setblocking(True)
        options: dict[str, Any] = {"ssl_context": self._credentials.context} if self._credentials else {}
        pool = Pool(self.worker_connections)
        server = StreamServer(sock, handle=partial(self.handle, sock), spawn=pool, **options)
        if self._credentials:
            _renew([server], self._credentials.context)
        if self.cfg.workers > 1:
            server.max_accept = 1  # the others shall have theirs
        server.start()
        return server

    def notify(self) -> None:
        """Show the arbiter a sign of life; if it was killed, do as if it had told to stop, since nobody else will."""
        self.tmp.notify()
        if self.alive and os.getppid() != self.ppid:
            self.log.warning("gunicorn was killed; worker %s ends", self.pid, extra={"event": "orphaned"})
            os.kill(os.getpid(), signal.SIGTERM)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take SIGTERM."""
        super().handle_exit(sig, frame)
        gevent.get_hub().loop.run_callback(self._told.set)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection."""
        me = gevent.getcurrent()
        self._clients[me] = client
        with suppress(OSError):  # a socket of Unix; else, who reads nothing of an answer, or has vanished, is let go
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD)
        try:
            super().handle(listener, client, addr)
        finally:
            del self._clients[me]
            self._served.discard(me)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse a request that never gets to the application with a problem, as the application does."""
        refusal = _refusal(exc)
        if refusal is None:
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("refused a request of %s: %s", addr[0] if addr else "a socket", unquoted(str(exc)))
        with suppress(OSError):  # the client is gone
            client.sendall(_plain(problems.respond(refusal)))

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:  # type: ignore[override]  # the base's is a context manager too
        """Wait for the next request, for as long as ``keepalive`` says; once it has begun, it has to come soon.

        The first one of a connection has to come soon in any case. What is left of the body of the one before is part
        of it.
        """
        me = gevent.getcurrent()
        late = self._idle[me] = Late()
        patience = self.cfg.keepalive if me in self._served else HEAD
        try:
            with awaited(self._clients[me], patience, late):
                yield
        finally:
            self._served.add(me)
            del self._idle[me]


def _credentials(cfg: Any) -> Credentials:
    """Return what this worker serves with, as gunicorn makes it."""
    ca = Path(cfg.ca_certs) if cfg.ca_certs else None
    return Credentials("server", TlsFiles(Path(cfg.certfile), Path(cfg.keyfile), ca), partial(ssl_context, cfg))


def _renew(servers: list[Any], context: ssl.SSLContext) -> None:
    """Have connections that come from now on begin with another context."""
    for server in servers:
        server.wrap_socket = partial(wrap_in_time, context)


def _refusal(error: BaseException) -> problems.Problem | None:
    """Return what is wrong with a request; None if it is not the request."""
    if type(error) in _REFUSALS:
        return _REFUSALS[type(error)]()
    if isinstance(error, ParseException) and not isinstance(error, InvalidResponseHeader | InvalidResponseHeaderName):
        return problems.Malformed(f"The request is not written as HTTP wants it: {printable(str(error))}")
    return None


def _plain(answer: Response) -> bytes:
    """Return an answer behind which the connection ends, as it goes over the wire."""
    answer.headers.update({"Connection": "close", **headers.SECURITY})
    lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {value}" for name, value in answer.headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.get_data()


def _has_sent(client: Any) -> bool:
    """Return whether something of a client has come that was not read yet; of TLS the records, not what they hold."""
    with socket.socket(fileno=os.dup(client.fileno())) as same:
        same.setblocking(False)
        try:
            return bool(same.recv(1, socket.MSG_PEEK))
        except OSError:
            return False
