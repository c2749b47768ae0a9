"""Whether an executor can be reached, and what it says of itself: one greenlet asks for all who want to know."""

import logging
import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from gorchestrator.client.answers import Info
from gorchestrator.client.api import ExecutorApi
from gorchestrator.client.faults import CallFault
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.timestamps import to_wire

_FIRST_PAUSE = 0.1  # seconds between two pings in vain; doubled each time
_LAST_PAUSE = 5.0
_REFRESH = 5.0  # seconds until a reachable executor is asked again: its engines and its capacity may change

log = logging.getLogger(__name__)


class Contact:
    """The contact to one executor.

    ``made`` is called with what it says of itself, each time that it is asked; ``lost`` when it does not answer.

    ``times`` counts how often contact was made after there was none; ``since_at`` is when it was made or lost (seconds
    since the epoch), or first sought.
    """

    def __init__(self, api: ExecutorApi, made: Callable[[Info], None], lost: Callable[[], None] = lambda: None) -> None:
        self._api = api
        self._made = made
        self._lost = lost
        self.times = 0
        self._there = Event()
        self._gone = Event()
        self.since_at = time.time()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self.info: Info | None = None
        self.fault: CallFault | None = None

    @property
    def since(self) -> str:
        """The same for people."""
        return (to_wire(self.since_at) or "")[:19] + "Z"

    def start(self) -> None:
        """Begin to ask, until :meth:`stop`."""
        self._greenlet = gevent.spawn(self._keep)
        self._greenlet.link_exception(self._failed)

    def stop(self) -> None:
        """Ask no more."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def renew(self) -> None:
        """Ask again now."""
        self._gone.set()

    def wait(self, timeout: float) -> bool:
        """Wait until the executor can be reached; whether it can."""
        return bool(self._there.wait(timeout))

    def lost(self, fault: CallFault) -> None:
        """Take note that somebody has called the executor in vain."""
        self.fault = fault
        self._lost()
        if self._there.is_set():
            self._there.clear()
            self.since_at = time.time()
            log.warning("lost contact: %s", fault.reason, extra={"event": "executor_lost", "executor": self._api.name})
        self._gone.set()

    def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._gone.clear()
            try:
                info = self._api.ping()
            except CallFault as fault:
                self.lost(fault)
                gevent.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                self.found(info)
                self._gone.wait(_REFRESH)

    def found(self, info: Info) -> None:
        """Take note of what it has said of itself."""
        self.info, self.fault = info, None
        self._made(info)
        if not self._there.is_set():
            self.times += 1
            self.since_at = time.time()
            self._there.set()
            log.info("in contact", extra={"event": "executor_found", "executor": self._api.name})

    def _failed(self, greenlet: "gevent.Greenlet[..., None]") -> None:
        log.error("asking an executor failed", exc_info=greenlet.exc_info, extra={"event": "fault"})
        self.lost(CallFault(ReasonCode.INTERNAL, f"a fault of the orchestrator: {greenlet.exception!r}"))
        self._greenlet = gevent.spawn_later(_LAST_PAUSE, self._keep)
        self._greenlet.link_exception(self._failed)
