"""Nodes are woken in the order of need, some dozens at a time, and all of them."""

import gevent

from gorchestrator.engine.signals import Signal, Waker


def settle():
    gevent.sleep(0.01)


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
    gevent.joinall(waiters, timeout=5, raise_error=True)
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
    gevent.joinall([*waiters, gevent.spawn(other)], timeout=5, raise_error=True)
    longest = max(map(len, "".join(word[0] for word in order).split("o")))
    assert longest <= 100


def test_a_waker_that_was_stopped_wakes_nobody_any_more():
    waker, woken = Waker(lambda _: None), []
    signals = [Signal() for _ in range(200)]

    def wait(number):
        signals[number].wait()
        woken.append(number)

    waiters = [gevent.spawn(wait, number) for number in range(200)]
    gevent.sleep(0)
    for signal in signals:
        signal.set(waker)
    waker.stop()
    settle()
    assert 0 < len(woken) < 200
    gevent.killall(waiters)
