"""How long an answer waits, and for what."""

from types import SimpleNamespace

import gevent
import pytest
from gevent.event import Event

from executor import waiting
from gorchestrator.common.states import State
from support import PATIENCE


@pytest.fixture
def job():
    return SimpleNamespace(state=State.TORUN, ended=Event(), moved=Event())


@pytest.mark.parametrize("state", [State.RUNNING, State.CANCELED])
def test_who_asks_for_a_queued_job_is_answered_when_it_leaves_the_queue(job, state):
    waits = gevent.spawn(waiting.for_change, job, 600)
    gevent.sleep(0)
    assert not waits.ready()
    job.state = state
    job.moved.set()
    waits.get(timeout=PATIENCE)


def test_news_of_another_kind_end_no_wait(job):
    waits = gevent.spawn(waiting.for_change, job, 0.3)
    gevent.sleep(0)
    moved, job.moved = job.moved, Event()
    moved.set()
    gevent.sleep(0)
    assert not waits.ready()
    waits.get(timeout=PATIENCE)


def test_an_executor_that_drains_keeps_nobody_waiting(job):
    waits = gevent.spawn(waiting.for_change, job, 600)
    gevent.sleep(0)
    job.ended.set()
    waits.get(timeout=PATIENCE)
