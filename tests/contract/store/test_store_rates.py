"""How many tasks a client may submit, by the times at which they come."""

import pytest

from gorchestrator.domain.errors import TooManyTasks
from gorchestrator.domain.records import Acceptance, Quota, TaskRow
from gorchestrator.store import Store
from store_support import ME

NOW = 100_000.0


def submit(store: Store, at: float, client: str = "token:1") -> None:
    task = f"{round(at * 1000):032x}"
    quota = Quota(client, "ci", most=2)
    store.journal.accept(Acceptance(TaskRow(task, "x", size=0, accepted_at=at), None, [], ME, quota=quota))


def test_a_minutes_worth_at_once_and_then_as_time_goes_by(store: Store) -> None:
    submit(store, NOW)
    submit(store, NOW + 1)
    with pytest.raises(TooManyTasks, match="'ci' submits more than 2 tasks a minute") as refused:
        submit(store, NOW + 2)
    assert refused.value.seconds == pytest.approx(28)
    submit(store, NOW + 30)
    submit(store, NOW + 2, client="token:2")


def test_a_clock_that_is_set_back_locks_nobody_out(store: Store) -> None:
    submit(store, NOW)
    submit(store, NOW - 3600)
    submit(store, NOW - 3599)
    with pytest.raises(TooManyTasks):
        submit(store, NOW - 3598)
