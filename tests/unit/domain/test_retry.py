"""When a node is tried again, and after how long."""

import pytest

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Result
from gorchestrator.domain.retry import Retry

FAILED = Result(State.FAILURE, "exit status 3", ReasonCode.EXIT, 3)
TIMED_OUT = Result(State.TIMEOUT, "too long", ReasonCode.TIMEOUT)
GONE = Result(State.FAILURE, "gone", ReasonCode.LOST)


def policy(on_lost=None, **spec):
    return Retry.from_document(spec or None, on_lost)


def test_without_retry_there_is_no_policy():
    assert policy() is None
    assert policy(on_lost="fail") is None


@pytest.mark.parametrize(
    ("spec", "again"),
    [
        ({"limit": 1}, {FAILED.state: True, TIMED_OUT.state: True}),
        ({"limit": 1, "on": ["timeout"]}, {FAILED.state: False, TIMED_OUT.state: True}),
        ({"limit": 1, "exit_codes": [3, 4]}, {FAILED.state: True, TIMED_OUT.state: True}),
        ({"limit": 1, "exit_codes": [4]}, {FAILED.state: False, TIMED_OUT.state: True}),
    ],
)
def test_what_is_tried_again(spec, again):
    assert {result.state: policy(**spec).covers(result, 1) for result in (FAILED, TIMED_OUT)} == again


def test_what_is_lost_is_tried_again_only_where_its_owner_says_so():
    assert not policy(limit=5).covers(GONE, 1)
    assert policy(limit=5, on=["lost"]).covers(GONE, 1)
    assert policy(limit=5, on_lost="retry").covers(GONE, 1)
    alone = policy(on_lost="retry")
    assert [alone.covers(GONE, attempt) for attempt in (1, 2)] == [True, False]
    assert not alone.covers(FAILED, 1)


@pytest.mark.parametrize("state", [State.SUCCESS, State.CANCELED])
def test_success_and_cancel_end_a_node(state):
    assert not policy(limit=5).covers(Result(state), 1)


def test_the_limit_counts_attempts_after_the_first():
    assert [policy(limit=2).covers(FAILED, attempt) for attempt in (1, 2, 3)] == [True, True, False]


def test_the_pause_grows_up_to_its_limit():
    retry = policy(limit=9, delay=2, factor=3, max_delay=20, jitter=0)
    assert [retry.pause("x", attempt) for attempt in (1, 2, 3, 4)] == [2, 6, 18, 20]


def test_chance_stays_within_its_share_and_is_the_same_when_asked_again():
    retry = policy(limit=9, delay=10, factor=1, jitter=0.5)
    pauses = [retry.pause(f"node{number}", 1) for number in range(100)]
    assert 5 <= min(pauses) < 7
    assert 13 < max(pauses) <= 15
    assert pauses == [retry.pause(f"node{number}", 1) for number in range(100)]
