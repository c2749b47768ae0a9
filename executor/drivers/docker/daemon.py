"""The Docker daemon: one client for all jobs, the calls that they need, and who cleans up after executors that died.

The SDK is imported when it is first needed, so that an executor starts without it. A daemon that does not answer is no
fault of a job: it is told as :class:`Unreachable`, and who waits for it waits.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from socket import AF_UNIX, socket
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore

from executor import names
from executor.config import Config
from executor.drivers.base import Job
from executor.drivers.docker import frames, order
from executor.drivers.docker.mounts import Mount

log = logging.getLogger(__name__)

NEEDS = "engine docker needs: pip install gorchestrator-oaas[docker]"
TIMEOUT = 120.0  # seconds without an answer
PING = 3.0  # the same, of a ping: somebody waits for it
PIECE = 64 * 1024
KIND = "event"  # by what the daemon's events are filtered
NOT_FOUND, CONFLICT = 404, 409


class Unreachable(Exception):
    """The daemon does not answer; the text says why, and what to do."""

    def __init__(self, text: str, why: str | None = None) -> None:
        """``why``: that alone."""
        super().__init__(text)
        self.why = why or text


class Refused(Exception):
    """The daemon has answered with a fault; the text is the daemon's."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class NoImage(Refused):
    """An image is not there."""


class Daemon:
    """The daemon of this machine. Each method raises Unreachable, and Refused unless it says otherwise."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._client: Any = None
        self._missed = True  # it was away, or we were: what it was asked for may have been done, and nobody knows
        self._making = BoundedSemaphore(1)

    @contextmanager
    def talk(self) -> Iterator[Any]:
        """Give the SDK's client, and make faults of what it is used for our own.

        When the daemon is back, it is asked for what has been left meanwhile.
        """
        try:
            errors, below = import_module("docker.errors"), import_module("urllib3.exceptions")
        except ImportError:
            raise Unreachable(NEEDS) from None
        try:
            yield self._client or self._connect()
        except errors.ImageNotFound as error:
            raise NoImage(NOT_FOUND, str(error.explanation)) from None
        except errors.APIError as error:
            raise Refused(error.status_code or 0, str(error.explanation or error)) from None
        except (OSError, below.HTTPError, errors.DockerException) as error:
            self._missed = True
            raise self._unreachable(_cause(error)) from None
        if self._missed:
            self._missed = False
            self.spawn(self._sweep)

    def ping(self) -> None:
        """Return if it answers."""
        if find_spec("docker") and (why := _not_there(self.config.docker_host)):
            raise self._unreachable(why)
        with gevent.Timeout(PING, self._unreachable("no answer")), self.talk() as api:
            api.ping()

    def create(self, job: Job, mounts: Iterable[Mount]) -> None:
        """Make the container of a job."""
        with self.talk() as api:
            wanted = order.create(api, job, mounts, self.config, self.instance())
        with self.talk() as api:
            api.create_container(**wanted)

    def start(self, name: str) -> None:
        """Start a container."""
        with self.talk() as api:
            api.start(name)

    def find(self, name: str) -> Mapping[str, Any] | None:
        """Return what the daemon knows of a container; None: there is none."""
        try:
            with self.talk() as api:
                found: Mapping[str, Any] = api.inspect_container(name)
                return found
        except Refused as fault:
            if fault.status == NOT_FOUND:
                return None
            raise self._unreachable(str(fault)) from None

    def was_out_of_memory(self, name: str) -> bool:
        """Return whether the kernel has killed a process of a container for its memory, as the daemon's events tell.

        Of a container that has ended its state may not tell it: on a busy machine the daemon learns it too late. What
        comes within a second is waited for.
        """
        until = int(time.time()) + 2  # in whole seconds
        with self.talk() as api:
            wanted = {"container": [name], KIND: ["oom"]}
            return any(True for _ in api.events(since=0, until=until, filters=wanted, decode=True))

    def log(self, name: str, *, follow: bool) -> Iterator[bytes]:
        """Yield what a container has printed, from the start; ``follow``: until it ends."""
        query = {"stdout": 1, "stderr": 1, "follow": int(follow)}
        with self.talk() as api:
            url = f"{api.base_url}/v{api.api_version}/containers/{name}/logs"
            with closing(api.get(url, params=query, stream=True, timeout=(TIMEOUT, None))) as answer:
                if not answer.ok:  # who asks learns from its state what became of it
                    log.warning("%s: its log cannot be read: %s", name, answer.text, extra={"event": "docker_no_log"})
                    return
                yield from frames.payloads(answer.raw.stream(PIECE))

    def signal(self, name: str, signal: str) -> None:
        """Send a signal to a container, if it can be sent: what became of it is seen by a look at the container."""
        with suppress(Refused), self.talk() as api:
            api.kill(name, signal)

    def unpause(self, name: str) -> None:
        """Let a container go on that somebody has paused."""
        with suppress(Refused), self.talk() as api:
            api.unpause(name)

    def remove(self, name: str) -> None:
        """Remove a container, what runs in it, and its anonymous volumes. It may be gone, or be about to go."""
        try:
            with self.talk() as api:
                api.remove_container(name, v=True, force=True)
        except Refused as fault:
            if fault.status not in (NOT_FOUND, CONFLICT):
                raise

    def pull(self, image: str) -> None:
        """Fetch an image from its registry, with the credentials of this user's Docker configuration."""
        try:
            with self.talk() as api:
                fault = next(
                    (step["error"] for step in api.pull(image, stream=True, decode=True) if "error" in step), None
                )
        except Refused as refusal:
            fault = str(refusal)
        if fault:
            raise NoImage(NOT_FOUND, f"it cannot be pulled: {fault}")

    def spawn(self, what: Callable[..., None], *args: object) -> None:
        """Do something beside everything else; its faults are logged."""
        gevent.spawn(self._attempt, what, *args)

    def instance(self) -> str:
        """Return the identity of this executor's data directory: the label of its containers."""
        return (self.config.data / names.INSTANCE).read_text().strip()

    def _attempt(self, what: Callable[..., None], *args: object) -> None:
        try:
            what(*args)
        except (Unreachable, Refused, OSError) as fault:
            log.warning("a container cannot be removed: %s", fault, extra={"event": "docker_not_removed"})

    def _connect(self) -> Any:
        with self._making:
            if self._client is None:
                docker = import_module("docker")
                environ = {**os.environ, "DOCKER_HOST": self.config.docker_host}
                known = docker.utils.kwargs_from_env(environment=environ)  # and the certificates of DOCKER_CERT_PATH
                client = docker.APIClient(**known, timeout=TIMEOUT, max_pool_size=2 * self.config.capacity + 8)
                client.trust_env = False  # no proxy, whatever the environment says
                self._client = client
        return self._client

    def _sweep(self) -> None:
        """Remove the containers of jobs that have ended or that this executor does not know: one before it died."""
        with self.talk() as api:
            found = api.containers(all=True, filters={"label": f"{order.EXECUTOR}={self.instance()}"})
        for each in found:
            job_id = each["Labels"].get(order.JOB, "")
            if not self._is_open(job_id):
                extra = {"event": "docker_orphan_removed", "container": each["Id"], "job": job_id}
                log.warning("%s: removing its container, which was left", job_id, extra=extra)
                self.remove(each["Id"])

    def _is_open(self, job_id: str) -> bool:
        folder = self.config.data / names.LIVE / job_id
        return bool(job_id) and (folder / names.NODE).exists() and not (folder / names.RESULT).exists()

    def _unreachable(self, why: str) -> Unreachable:
        text = (
            f"no Docker daemon answers at {self.config.docker_host} ({why}): start it, or name another one in the"
            " executor's setting docker_host; the executor's user must be allowed to use it"
        )
        return Unreachable(text, why)


def _not_there(host: str) -> str | None:
    """Return why nobody listens at a Unix socket. The client would leave a socket open each time that it asks."""
    kind, _, path = host.partition("://")
    if kind != "unix":
        return None
    with socket(AF_UNIX) as probe:
        probe.settimeout(PING)
        try:
            probe.connect(path)
        except OSError as error:
            return error.strerror or str(error)
    return None


def _cause(error: BaseException) -> str:
    """Return what lies below a fault of the client: what the system said, if it did."""
    chain = [error]
    while (below := chain[-1].__cause__ or chain[-1].__context__) is not None and below not in chain:
        chain.append(below)
    told = [each.strerror for each in chain if isinstance(each, OSError) and each.strerror]
    return told[-1] if told else str(error)
