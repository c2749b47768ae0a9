"""Connections to hosts: each is an OpenSSH client that logged in once and opens sessions for whoever asks.

sshd lets a connection have ten sessions and begins to refuse new connections while ten are not logged in yet. So a
client is given fewer, further ones are started as they are needed, one at a time for each target, and a start that was
refused in passing is tried again. They are started apart from any job and end by themselves when they are idle, and at
the latest with this process, unless it is killed. An executor that starts again does not use those that an earlier one
has left: their sessions are not counted here.
"""

import atexit
import logging
import os
import shutil
import time
from collections import deque
from functools import cache
from typing import Any, cast

import gevent
from gevent.event import AsyncResult

from executor.config import Config
from executor.ssh import client, mux
from executor.ssh.faults import NoConnection
from executor.ssh.hosts import IDLE, Hosts, HostsFault
from executor.ssh.sockets import Sockets

log = logging.getLogger(__name__)

SESSIONS = 8  # of a connection; two more are left for what ends jobs
MOST = 10  # the same, with these
LULL = 0.05  # seconds in which short work makes room before one more connection is started
PAUSES = (0.1, 0.3, 0.8, 1.5, 3.0)  # seconds before a start that was refused in passing is tried again
MARGIN = 20.0  # seconds for the login, on top of the time to connect
GOING = 3.0  # seconds that clients have to end with this process, should the machine be busy


class Connection:
    """A client and how many sessions it has."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.sessions = 0
        self.most = SESSIONS


class Pool:
    """The connections to one target."""

    def __init__(self, target: str, hosts: Hosts, sockets: Sockets, limit: float) -> None:
        """``limit``: seconds for a login."""
        self._limit = limit
        self.target = target
        self._hosts = hosts
        self._sockets = sockets
        self._connections: list[Connection] = []
        self._waiting: deque[AsyncResult[Any]] = deque()
        self._starter: gevent.Greenlet[..., None] | None = None
        self.used_at = time.monotonic()

    @property
    def idle(self) -> bool:
        """Whether nobody has used or awaits a connection for so long that there is none any more."""
        busy = self._starter or self._waiting or any(each.sessions for each in self._connections)
        return not busy and time.monotonic() - self.used_at > IDLE

    @property
    def paths(self) -> list[str]:
        """The sockets of its connections."""
        return [each.path for each in self._connections]

    def take(self, *, urgent: bool) -> Connection:
        """Return a connection with a session taken. Raises NoConnection."""
        for each in self._connections:
            if each.sessions < (each.most + MOST - SESSIONS if urgent else each.most):
                each.sessions += 1
                return each
        mine: AsyncResult[Any] = AsyncResult()
        self._waiting.append(mine)
        if not self._starter:
            self._starter = gevent.spawn(self._start_some)
        try:
            return cast(Connection, mine.get())
        except BaseException:  # an interrupt, perhaps at the moment when its turn has come
            if mine.successful():
                self.give_back(cast(Connection, mine.get()))
            elif mine in self._waiting:
                self._waiting.remove(mine)
            raise

    def give_back(self, connection: Connection) -> None:
        """End a session."""
        self.used_at = time.monotonic()
        connection.sessions -= 1
        self._serve(connection)

    def drop(self, connection: Connection) -> None:
        """Use a connection no more: it has gone."""
        if connection in self._connections:
            self._connections.remove(connection)

    def _serve(self, connection: Connection) -> None:
        while self._waiting and connection.sessions < connection.most and connection in self._connections:
            connection.sessions += 1
            self._waiting.popleft().set(connection)

    def _start_some(self) -> None:
        while self._waiting:
            if self._connections:
                gevent.sleep(LULL)
                if not self._waiting:
                    return
            try:
                self._start()
            except (NoConnection, HostsFault) as fault:
                self._refuse(fault)
            except Exception as error:
                log.exception("cannot start ssh", extra={"event": "ssh_not_started"})
                self._refuse(NoConnection(f"cannot start ssh: {error}"))

    def _refuse(self, fault: Exception) -> None:
        """Tell all who wait."""
        waiting, self._waiting = self._waiting, deque()
        for each in waiting:
            each.set_exception(fault)

    def _start(self) -> None:
        for pause in (*PAUSES, None):
            try:
                arguments = self._hosts.arguments(self.target)
                connection = Connection(client.start(arguments, self.target, self._sockets.folder(), self._limit))
            except NoConnection as fault:
                if pause is None or not fault.passing:
                    raise
                gevent.sleep(pause)
            else:
                self._connections.append(connection)
                self._serve(connection)
                return


class Connections:
    """The connections of an executor."""

    def __init__(self, config: Config) -> None:
        self.hosts = Hosts(config)
        self._limit = config.ssh_connect_timeout + MARGIN
        self._sockets = Sockets(config.data)
        self._pools: dict[str, Pool] = {}
        self._tidier: gevent.Greenlet[..., None] | None = None
        atexit.register(self.close)
        if self._sockets.there:  # an executor that was killed has left it
            self._tidier = gevent.spawn(self._keep_tidy)

    def check(self) -> str | None:
        """Return why nothing can be connected here."""
        if shutil.which("ssh") is None:
            return "ssh is not installed: install the OpenSSH client (apt-get install openssh-client)"
        return self.hosts.fault()

    def open(self, target: str, command: str, *, urgent: bool = False) -> "Line":
        """Start a command on a host. ``urgent``: it ends others. Raises NoConnection and HostsFault."""
        pool = self._pools.get(target)
        if pool is None:
            self.hosts.arguments(target)
            pool = self._pools[target] = Pool(target, self.hosts, self._sockets, self._limit)
        if not self._tidier:
            self._tidier = gevent.spawn(self._keep_tidy)
        while True:
            connection = pool.take(urgent=urgent)
            try:
                return Line(mux.open_session(connection.path, command), pool, connection)
            except mux.Gone:
                pool.drop(connection)
                pool.give_back(connection)
            except mux.Refused as refusal:
                pool.give_back(connection)
                connection.most = connection.sessions
                if connection.most < 1:
                    pool.drop(connection)
                    raise NoConnection(f"{target} opens no session: {refusal}") from None
            except BaseException:
                pool.give_back(connection)
                raise

    def close(self) -> None:
        """End all connections. What runs on hosts goes on; whoever is told to stop lets go of it first."""
        atexit.unregister(self.close)
        if self._tidier:
            self._tidier.kill(block=False)
        paths = [path for pool in self._pools.values() for path in pool.paths]
        self._pools.clear()
        gevent.joinall([gevent.spawn(mux.terminate, path) for path in paths], timeout=GOING)
        end = time.monotonic() + GOING
        while any(map(os.path.exists, paths)) and time.monotonic() < end:
            gevent.sleep(LULL)
        self._sockets.tidy()

    def _keep_tidy(self) -> None:
        """Forget hosts that are not used any more; when there is none, remove what connections have left."""
        while self._pools or self._sockets.there:
            gevent.sleep(IDLE)
            for target in [target for target, pool in self._pools.items() if pool.idle]:
                del self._pools[target]
            if not self._pools:
                self._sockets.tidy()


class Line:
    """A session, and the place that it takes."""

    def __init__(self, session: mux.Session, pool: Pool, connection: Connection) -> None:
        self.session = session
        self._pool = pool
        self._connection = connection
        self._open = True

    def doubt(self) -> None:
        """Have a connection that is silent replaced."""
        self._pool.drop(self._connection)

    @property
    def connected(self) -> bool:
        """Whether its connection is still there."""
        return mux.alive(self._connection.path)

    def finish(self, seconds: float) -> bool:
        """Wait until the session has ended by itself, then close; returns whether it has."""
        try:
            return self.session.ended(seconds)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of it."""
        if self._open:
            self._open = False
            self.session.close()
            self._pool.give_back(self._connection)


@cache
def shared(config: Config) -> Connections:
    """Return the connections of an executor with these settings: its engines share them."""
    return Connections(config)
