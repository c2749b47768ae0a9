"""Places in flight towards an executor: in the order of arrival, and never more than the limit."""

import gevent
from hypothesis import given
from hypothesis import strategies as st

from gorchestrator.client.slots import Slots, Ticket
from support import PATIENCE


def take(slots):
    """Take a place or wait for one; return the ticket."""
    ticket = Ticket()
    if not slots.take(ticket):
        slots.enter(ticket)
    return ticket


def held(tickets):
    return [ticket.wait(0) for ticket in tickets]


def test_those_who_wait_are_served_in_the_order_in_which_they_came():
    slots = Slots(1)
    tickets = [take(slots) for _ in range(4)]
    assert held(tickets) == [True, False, False, False]
    for number in range(3):
        tickets[number].end()
        assert held(tickets) == [place <= number + 1 for place in range(4)]


def test_nobody_overtakes_those_who_wait():
    slots = Slots(1)
    first, waiting = take(slots), take(slots)
    first.end()
    assert waiting.wait(0)
    assert not slots.take(Ticket())


def test_who_gives_up_waiting_leaves_the_queue():
    slots = Slots(1)
    first, second, third = take(slots), take(slots), take(slots)
    second.end()
    first.end()
    assert held([second, third]) == [False, True]


def test_a_place_that_came_while_somebody_gave_up_is_given_back():
    slots = Slots(1)
    first, second = take(slots), take(slots)
    first.end()
    second.end()  # it was just given the place
    assert slots.take(Ticket())


def test_a_higher_limit_serves_those_who_wait_and_a_lower_one_runs_out():
    slots = Slots(1)
    tickets = [take(slots) for _ in range(5)]
    slots.resize(3)
    assert held(tickets) == [True, True, True, False, False]
    slots.resize(1)
    tickets[0].end()
    tickets[1].end()
    assert held(tickets)[3:] == [False, False]
    tickets[2].end()
    assert held(tickets)[3:] == [True, False]


def test_waiting_blocks_only_the_one_who_waits():
    slots = Slots(1)
    first, second = take(slots), take(slots)
    waiter = gevent.spawn(second.wait, 5)
    gevent.sleep(0)
    assert not waiter.ready()
    first.end()
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
            tickets.pop(step).end()
        highest = max(slots.limit, before)
        assert sum(held(tickets)) <= highest
        waiting = [ticket for ticket in tickets if not ticket.wait(0)]
        assert not waiting or sum(held(tickets)) >= slots.limit
        assert held(tickets) == sorted(held(tickets), reverse=True)  # the places are with those who came first


def test_a_ticket_in_several_queues_gets_one_slot_and_holds_nobody_up_in_the_others():
    one, two = Slots(1), Slots(1)
    first, second = take(one), take(two)
    both, behind = Ticket(), Ticket()
    for slots in (one, two):
        slots.enter(both)
    one.enter(behind)
    second.end()
    assert both.slots is two
    assert (one.queued, two.queued) == (1, 0)
    first.end()
    assert held([both, behind]) == [True, True]
    assert (one.used, two.used) == (1, 1)
    both.end()
    assert two.used == 0


def test_while_paused_it_gives_none_and_forgets_nobody():
    slots = Slots(2)
    slots.pause()
    tickets = [take(slots) for _ in range(3)]
    assert held(tickets) == [False] * 3
    slots.resume()
    assert held(tickets) == [True, True, False]


def test_once_retired_it_gives_none_whoever_resumes():
    slots = Slots(1)
    slots.retire()
    ticket = take(slots)
    slots.resume()
    assert not ticket.wait(0)
    slots.reinstate()
    assert ticket.wait(0)
