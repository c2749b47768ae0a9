"""What goes on beside the requests of a worker: renewed certificates are taken into use, and ends are warned of."""

import logging
import ssl
from collections.abc import Callable

import gevent

from gorchestrator.common.credentials import LOOK, Credentials
from gorchestrator.common.reminder import Reminder, remind

_FIRST = 3.0  # seconds in which the first connections are made, so that what is shown in them is told of too
_AGAIN = 60.0  # seconds until it is tried again after a fault

log = logging.getLogger(__name__)


class Upkeep:
    """Looks after the certificates of one worker process.

    ``credentials``: those that it serves with, None for plain HTTP; ``use`` is called with each new context of theirs.
    """

    def __init__(self, credentials: Credentials | None, use: Callable[[ssl.SSLContext], None]) -> None:
        self._credentials = credentials
        self._use = use
        self._reminder = Reminder()

    def start(self, after: float = _FIRST) -> None:
        """Begin, and go on until the process ends."""
        gevent.spawn_later(after, self._go_on).link_exception(self._failed)

    def _go_on(self) -> None:
        while True:
            if self._credentials is not None and (context := self._credentials.look()):
                self._use(context)
            remind(self._reminder)
            gevent.sleep(LOOK)

    def _failed(self, greenlet: "gevent.Greenlet[..., None]") -> None:
        extra = {"event": "certificates_fault"}
        log.error("looking after the certificates failed", exc_info=greenlet.exc_info, extra=extra)
        self.start(_AGAIN)
