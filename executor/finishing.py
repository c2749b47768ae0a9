"""Ending after the jobs instead of before them: the setting ``drain = "finish"``.

gunicorn stops listening as soon as it is told to end, and nobody could ask for results any more. So its first SIGTERM
is kept from it and told to the worker as SIGUSR2 (``executor.gunicorn_conf``). The worker goes on answering and sends
the second one when nothing runs any more.
"""

import logging
import os
import signal
import time
from collections.abc import Callable

import gevent

from executor.runner import Runner

log = logging.getLogger(__name__)

SIGNAL = signal.SIGUSR2
RECEIPTS = 5.0  # seconds that an ended job may wait for its receipt; without one its result is kept all the same
LOOK = 0.05


def finish(runner: Runner, timeout: float) -> None:
    """Take no more work, wait until what runs has ended and its results were fetched, then end the server."""
    runner.closing = True
    log.info(
        "finishing: %d jobs run, %d wait for the next executor",
        len(runner.running),
        len(runner.waiting),
        extra={"event": "executor_finishing"},
    )
    limit = time.monotonic() + timeout
    _wait(lambda: not runner.running, limit)
    _wait(lambda: not any(job.result for job in runner.jobs.values()), min(limit, time.monotonic() + RECEIPTS))
    os.kill(os.getppid(), signal.SIGTERM)


def _wait(condition: Callable[[], bool], limit: float) -> None:
    while not condition() and time.monotonic() < limit:
        gevent.sleep(LOOK)
