"""Having the directory of a job that has ended removed from its host: nobody waits for that, nothing depends on it."""

import logging

import gevent

from executor.ssh import request
from executor.ssh.channel import Lost, Speechless, ask
from executor.ssh.connections import Connections, Line
from executor.ssh.faults import NoConnection
from executor.ssh.hosts import HostsFault

log = logging.getLogger(__name__)

SOON = 30.0  # seconds in which a host removes a directory
LATER = (0.5, 5.0, 30.0, 120.0, 600.0)  # seconds between the tries to have that done, if the connection broke
#: What says that a host cannot be talked to now.
AWAY = (NoConnection, HostsFault, Speechless, Lost)


def see(connections: Connections, target: str, job_id: str, line: Line) -> None:
    """See to it in the background; the host was told on this line, which is closed then."""
    gevent.spawn(_see, connections, target, job_id, line)


def have(connections: Connections, target: str, job_id: str) -> None:
    """Have it done in the background."""
    gevent.spawn(_have, connections, target, job_id)


def _see(connections: Connections, target: str, job_id: str, line: Line) -> None:
    if not line.finish(SOON):
        _have(connections, target, job_id)


def _have(connections: Connections, target: str, job_id: str) -> None:
    for pause in LATER:
        try:
            line = connections.open(target, request.COMMAND)
            try:
                ask(line, request.forget(job_id)).line()
                return
            finally:
                line.close()
        except AWAY:
            gevent.sleep(pause)
    extra = {"event": "ssh_not_removed", "job": job_id}
    log.warning("%s: its directory is still on %s", job_id, target, extra=extra)
