"""What a worker does at once when it is told to stop, while gunicorn still waits for open requests."""

import atexit
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

import gevent

from gorchestrator.common.serving import BOOT_ERROR

_LAST_ANSWERS = 0.5  # seconds
_PATIENCE = 1.0  # seconds; gunicorn kills a worker that takes longer than its own patience to end


def when_signalled(number: int, act: Callable[[], None]) -> None:
    """Call ``act`` in a greenlet on a signal."""
    if threading.current_thread() is threading.main_thread():  # only this one gets signals
        signal.signal(number, lambda *_: gevent.get_hub().loop.run_callback(gevent.spawn, act))


def when_told_to_stop(act: Callable[[], None]) -> None:
    """Call ``act`` in a greenlet on SIGTERM, then do what gunicorn does; the process ends only when ``act`` is done.

    Call it when gunicorn has set its handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread gets signals
    before = signal.getsignal(signal.SIGTERM)
    begun: list[gevent.Greenlet[[], None]] = []

    def on_term(number: int, frame: FrameType | None) -> None:
        gevent.get_hub().loop.run_callback(lambda: begun.append(gevent.spawn(act)))
        if callable(before):
            before(number, frame)
        else:
            sys.exit(0)

    signal.signal(signal.SIGTERM, on_term)
    atexit.register(lambda: gevent.joinall(begun, timeout=_PATIENCE))


def end_all() -> None:
    """End this worker, and with it the whole server, as soon as those who are refused for this fault have their answer.

    For what a worker that is started in its place would meet as well; gunicorn stops when a worker ends like this.
    """
    gevent.spawn_later(_LAST_ANSWERS, sys.exit, BOOT_ERROR)
