"""How a process of greenlets stays quick to answer: work in slices, and garbage collected when there is time for it."""

import gc
import sys
import time
from collections.abc import Callable

import gevent

_FIRST = 2  # libev's highest priority: served in each round of the loop, however busy that is
_HANDOVER = 0.001  # seconds after which a native thread gets the interpreter from the hub, and the hub from a thread
_YOUNG = (5_000, 5, 1_000_000)  # about 2 ms a collection; the whole heap is never collected by itself
_LOOK = 30.0  # seconds between two looks whether there is time for the whole heap
_AT_LEAST = 600.0  # seconds after which the whole heap is collected, time or not


def breathe() -> None:
    """Let everything run that is ready, input and output included, then go on.

    ``gevent.sleep(0)`` alone lets other greenlets run, but the hub looks for input only after 50 such callbacks, which
    starved requests for 200 ms between slices of 2 ms. Waiting for the loop alone lets the queue of greenlets grow.
    """
    gevent.sleep(0)
    gevent.idle(_FIRST)


def be_quick(busy: Callable[[], bool]) -> None:
    """Set this process up once it has loaded everything; ``busy`` tells whether a pause would be felt.

    A graph of 10,000 nodes is some 200,000 objects, and Python's collector held the hub for 60-160 ms each time that it
    went through them, to find next to nothing: what ends here ends by its reference count.
    """
    sys.setswitchinterval(_HANDOVER)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_YOUNG)
    gevent.spawn(_collect, busy)


def _collect(busy: Callable[[], bool]) -> None:
    last = time.monotonic()
    while True:
        gevent.sleep(_LOOK)
        if not busy() or time.monotonic() - last > _AT_LEAST:
            gc.collect()
            last = time.monotonic()
