"""Places in flight towards an executor: in the order of arrival, and never more than the limit."""

import gevent
from gevent.event import Event
from hypothesis import given
from hypothesis import strategies as st

from gorchestrator.client.slots import Slots
from support import PATIENCE


def take(slots):
    """Take a place or wait for one; return the ticket."""
    ticket = Event()
    if slots.try_acquire():
        ticket.set()
    else:
        slots.acquire(ticket, 0)
    return ticket


def held(tickets):
    return [ticket.is_set() for ticket in tickets]


def test_those_who_wait_are_served_in_the_order_in_which_they_came():
    slots = Slots(1)
    tickets = [take(slots) for _ in range(4)]
    assert held(tickets) == [True, False, False, False]
    for number in range(3):
        slots.give_up(tickets[number])
        assert held(tickets) == [place <= number + 1 for place in range(4)]


def test_nobody_overtakes_those_who_wait():
    slots = Slots(1)
    first, waiting = take(slots), take(slots)
    slots.give_up(first)
    assert waiting.is_set()
    assert not slots.try_acquire()


def test_who_asks_again_keeps_the_place_in_the_queue():
    slots = Slots(1)
    first, second, third = take(slots), take(slots), take(slots)
    assert not slots.acquire(second, 0)
    slots.give_up(first)
    assert held([second, third]) == [True, False]
    assert slots.acquire(second, 0)


def test_who_gives_up_waiting_leaves_the_queue():
    slots = Slots(1)
    first, second, third = take(slots), take(slots), take(slots)
    slots.give_up(second)
    slots.give_up(first)
    assert held([second, third]) == [False, True]


def test_a_place_that_came_while_somebody_gave_up_is_given_back():
    slots = Slots(1)
    first, second = take(slots), take(slots)
    slots.give_up(first)
    slots.give_up(second)  # it was just given the place
    assert slots.try_acquire()


def test_a_higher_limit_serves_those_who_wait_and_a_lower_one_runs_out():
    slots = Slots(1)
    tickets = [take(slots) for _ in range(5)]
    slots.resize(3)
    assert held(tickets) == [True, True, True, False, False]
    slots.resize(1)
    slots.give_up(tickets[0])
    slots.give_up(tickets[1])
    assert held(tickets)[3:] == [False, False]
    slots.give_up(tickets[2])
    assert held(tickets)[3:] == [True, False]


def test_waiting_blocks_only_the_one_who_waits():
    slots = Slots(1)
    first, second = take(slots), Event()
    waiter = gevent.spawn(slots.acquire, second, 5)
    gevent.sleep(0)
    assert not waiter.ready()
    slots.give_up(first)
    assert waiter.get(timeout=PATIENCE)


@given(st.lists(st.one_of(st.just("take"), st.integers(0, 20), st.integers(1, 4).map(lambda limit: ("limit", limit)))))
def test_however_it_is_used_the_limit_holds_and_nobody_is_forgotten(steps):
    slots, tickets, highest = Slots(2), [], 2
    for step in steps:
        before = sum(held(tickets))
        if step == "take":
            tickets.append(take(slots))
        elif isinstance(step, tuple):
            slots.resize(step[1])
        elif step < len(tickets):
            slots.give_up(tickets.pop(step))
        highest = max(slots.limit, before)
        assert sum(held(tickets)) <= highest
        waiting = [ticket for ticket in tickets if not ticket.is_set()]
        assert not waiting or sum(held(tickets)) >= slots.limit
        assert held(tickets) == sorted(held(tickets), reverse=True)  # the places are with those who came first
