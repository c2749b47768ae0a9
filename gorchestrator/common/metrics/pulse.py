"""What a worker shows of itself, every two seconds and when it is asked itself.

Gauges are brought up to date here, and not where they change: so nothing of that is paid for by a node.
"""

import logging
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import psutil

from gorchestrator import __version__
from gorchestrator.common import expiry
from gorchestrator.common.metrics import shared
from gorchestrator.common.metrics.exposition import Sample
from gorchestrator.common.metrics.meter import Meter

_PAUSE = 2.0  # seconds

log = logging.getLogger(__name__)


class Pulse:
    """Of one worker; ``show`` brings up to date what else the service has."""

    def __init__(self, meter: Meter, show: Callable[[], None]) -> None:
        self._lag = meter.histogram(shared.HUB_LAG)
        self._cpu = meter.counter(shared.CPU)
        self._resident = meter.gauge(shared.RESIDENT)
        self._show = show
        self._process = psutil.Process()
        self._spent = 0.0
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self, after: float = 0) -> None:
        """Begin, and go on until :meth:`stop`."""
        self._greenlet = gevent.spawn_later(after, self._go_on)
        self._greenlet.link_exception(self._failed)

    def stop(self) -> None:
        """End that."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def beat(self) -> None:
        """Bring everything up to date now."""
        spent = time.process_time()
        self._cpu.inc(by=spent - self._spent)
        self._spent = spent
        self._resident.set(self._process.memory_info().rss)
        self._show()

    def _go_on(self) -> None:
        self.beat()
        while True:
            wanted = time.monotonic() + _PAUSE
            gevent.sleep(_PAUSE)
            self._lag.observe(max(0.0, time.monotonic() - wanted))
            self.beat()

    def _failed(self, greenlet: "gevent.Greenlet[..., None]") -> None:
        extra = {"event": "metrics_fault"}
        log.error("keeping the metrics up to date failed; it starts again", exc_info=greenlet.exc_info, extra=extra)
        self.start(_PAUSE)


def known(service: str, data: Path) -> Iterator[Sample]:
    """Yield what is known anyway: what runs, its certificates, the disk below ``data``."""
    yield Sample(shared.BUILD.name, (service, __version__, platform.python_version()), (1.0,))
    for each in expiry.in_use():
        yield Sample(shared.CERTIFICATE_ENDS.name, (each.kind, each.name), (each.not_after,))
    yield Sample(shared.DISK_FREE.name, (), (float(free(data)),))


def free(folder: Path) -> int:
    """Return the bytes that a user may still write on the file system of a folder; 0 if it cannot be reached."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize
