"""Lines in the log about certificates that end soon, once a day for each, whichever of them a process uses."""

import logging
import os
import time
from collections.abc import Iterable

import gevent
import psutil

from gorchestrator.common.expiry import DAY, WARNING, InUse, day, in_use, in_words
from gorchestrator.common.timestamps import to_wire

log = logging.getLogger(__name__)


class Reminder:
    """Writes a line of the log for each certificate that ends soon or has ended, once a day."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, float]] = {}  # by key: which end was told of, and when

    def due(self, now: float) -> list[InUse]:
        """Return what is to be told of now."""
        return [each for each in in_use() if each.not_after - now < WARNING and self._is_due(each, now)]

    def _is_due(self, each: InUse, now: float) -> bool:
        end, told = self._told.get(each.key, (0.0, 0.0))
        expired_since = told < each.not_after <= now
        return end != each.not_after or now - told >= DAY or expired_since

    def tell(self, certificates: Iterable[InUse], now: float, *, aloud: bool) -> None:
        """Take note that these are told of; ``aloud``: by this process, and not by another one of the same service."""
        for each in certificates:
            self._told[each.key] = (each.not_after, now)
            if aloud:
                _tell(each, now)


def _tell(each: InUse, now: float) -> None:
    expired = each.not_after <= now
    words = "has expired" if expired else f"expires {in_words(each.not_after, now)}"
    log.log(
        logging.ERROR if expired else logging.WARNING,
        "the certificate %s (%s) %s: %s",
        each.key,
        each.subject,
        words,
        day(each.not_after),
        extra={
            "event": "certificate_expires",
            "kind": each.kind,
            "certificate": each.name,
            "subject": each.subject,
            "not_after": to_wire(each.not_after),
        },
    )


def speaks_for_all() -> bool:
    """Whether this is the oldest of the worker processes that the same gunicorn has, so that a line is written once."""
    try:
        return os.getpid() == min(child.pid for child in psutil.Process(os.getppid()).children())
    except (psutil.Error, ValueError):
        return True


def remind(reminder: Reminder, now: float | None = None) -> None:
    """Tell of what is due. Which processes there are is looked up in a native thread, once a day."""
    now = time.time() if now is None else now
    if found := reminder.due(now):
        reminder.tell(found, now, aloud=bool(gevent.get_hub().threadpool.apply(speaks_for_all)))
