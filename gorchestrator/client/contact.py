"""Whether an executor can be reached: one greenlet asks again and again for all who wait for it."""

import logging
import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from gorchestrator.client.api import ExecutorApi, Info
from gorchestrator.client.faults import CallFault
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.timestamps import to_wire

_FIRST_PAUSE = 0.1  # seconds between two pings; doubled each time
_LAST_PAUSE = 5.0

log = logging.getLogger(__name__)


class Contact:
    """The contact to one executor; ``made`` is called with what it says of itself whenever it is there (again)."""

    def __init__(self, api: ExecutorApi, made: Callable[[Info], None]) -> None:
        self._api = api
        self._made = made
        self._there = Event()
        self._prober: gevent.Greenlet[..., None] | None = None
        self._since = time.time()
        self.info: Info | None = None
        self.fault: CallFault | None = None

    @property
    def since(self) -> str:
        """When the contact was lost, or first sought, for people."""
        return (to_wire(self._since) or "")[:19] + "Z"

    def wait(self, timeout: float) -> bool:
        """Wait until the executor can be reached; whether it can."""
        if not self._there.is_set():
            self.seek()
        return bool(self._there.wait(timeout))

    def lost(self, fault: CallFault) -> None:
        """Somebody has called it in vain."""
        if self._there.is_set():
            self._there.clear()
            self._since = time.time()
            log.warning("lost contact: %s", fault.reason, extra={"event": "executor_lost", "executor": self._api.name})
        self.fault = fault

    def seek(self) -> None:
        """Begin to look for the executor, unless that goes on already."""
        if self._prober is None or self._prober.dead:
            self._prober = gevent.spawn(self._probe)
            self._prober.link_exception(self._failed)

    def stop(self) -> None:
        """End the search."""
        if self._prober is not None:
            self._prober.kill(block=False)

    def _probe(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                info = self._api.ping()
            except CallFault as fault:
                self.fault = fault
                gevent.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE)
            else:
                self.info, self.fault = info, None
                self._made(info)
                self._there.set()
                log.info("in contact", extra={"event": "executor_found", "executor": self._api.name})
                return

    def _failed(self, greenlet: "gevent.Greenlet[..., None]") -> None:
        log.error("the search for an executor failed", exc_info=greenlet.exc_info, extra={"event": "fault"})
        self.fault = CallFault(ReasonCode.INTERNAL, f"a fault of the orchestrator: {greenlet.exception!r}")
