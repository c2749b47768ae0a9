"""Only what has the shape of a job is taken for one."""

import pytest

from gorchestrator.client.answers import job
from gorchestrator.common.states import State

JOB = {
    "state": 3,
    "reason": None,
    "reason_code": None,
    "exit_code": 0,
    "output": {"x": "1"},
    "started_at": "2026-11-01T12:00:00Z",
    "stopped_at": None,
    "queued": False,
    "survivors": [],
    "log": "aGVsbG8=",
    "log_from": 2,
    "log_next": 7,
    "log_size": 9,
}


def test_a_job_is_read():
    view = job(JOB)
    assert (view.state, view.exit_code, view.output) == (State.SUCCESS, 0, {"x": "1"})
    assert view.started_at == 1793534400.0
    assert (view.log, view.log_from, view.log_next, view.log_size) == (b"hello", 2, 7, 9)


def test_members_of_a_later_version_are_ignored_and_a_log_may_be_missing():
    view = job({key: value for key, value in JOB.items() if not key.startswith("log")} | {"colour": "blue"})
    assert (view.log, view.log_next) == (b"", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": 99},
        {"state": None},
        {"exit_code": -1},
        {"exit_code": 256},
        {"exit_code": 10**30},
        {"exit_code": "0"},
        {"output": None},
        {"output": {"x": "\ud800"}},
        {"output": {"\ud800": "x"}},
        {"reason": "\udfff"},
        {"started_at": "yesterday"},
        {"survivors": None},
        {"log": "no base64"},
        {"log_from": "a"},
    ],
)
def test_what_could_not_be_stored_or_understood_is_no_job(changes):
    """A change that no database takes would be refused there, when it is too late to say who is to blame."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        job(JOB | changes)


@pytest.mark.parametrize("missing", ["state", "reason", "exit_code", "output", "queued", "survivors"])
def test_what_misses_a_member_is_no_job(missing):
    with pytest.raises(KeyError):
        job({key: value for key, value in JOB.items() if key != missing})
