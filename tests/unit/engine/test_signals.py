"""Nodes are woken in the order of need, some dozens at a time, and all of them."""

import gevent

from gorchestrator.engine.signals import Signal, Waker
from support import PATIENCE


def test_those_who_wait_and_those_who_come_late_go_on():
    waker, signal, woken = Waker(lambda _: None), Signal(), []

    def wait(number):
        signal.wait()
        woken.append(number)

    waiters = [gevent.spawn(wait, number) for number in range(1000)]
    gevent.sleep(0)
    assert woken == []
    signal.set(waker)
    wait("late")
    gevent.joinall(waiters, timeout=PATIENCE, raise_error=True)
    assert sorted(woken[1:]) == list(range(1000))


def test_between_some_dozens_of_woken_nodes_others_get_a_turn():
    waker, signal, order = Waker(lambda _: None), Signal(), []

    def wait():
        signal.wait()
        order.append("node")

    def other():
        while order.count("node") < 500:
            order.append("other")
            gevent.sleep(0)

    waiters = [gevent.spawn(wait) for _ in range(500)]
    gevent.sleep(0)
    signal.set(waker)
    gevent.joinall([*waiters, gevent.spawn(other)], timeout=PATIENCE, raise_error=True)
    longest = max(map(len, "".join(word[0] for word in order).split("o")))
    assert longest <= 100


def test_a_waker_that_was_stopped_wakes_nobody_any_more():
    woken = {"stopped": 0, "going": 0}

    def wait(signal, name):
        signal.wait()
        woken[name] += 1

    waiters = {}
    for name in woken:
        signals = [Signal() for _ in range(200)]
        waiters[name] = [gevent.spawn(wait, signal, name) for signal in signals]
        gevent.sleep(0)
        waker = Waker(lambda _: None)
        for signal in signals:
            signal.set(waker)
        if name == "stopped":
            waker.stop()
    # The second one has as much to do and began later, so the first one would have come to its end before.
    gevent.joinall(waiters["going"], timeout=PATIENCE, raise_error=True)
    assert woken["going"] == 200
    assert 0 < woken["stopped"] < 200
    gevent.killall(waiters["stopped"])
