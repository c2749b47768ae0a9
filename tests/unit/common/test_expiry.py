"""Ends of certificates in words, and in the log: once a day from 30 days on."""

import logging

import pytest

from gorchestrator.common import expiry
from gorchestrator.common import reminder as module
from gorchestrator.common.expiry import DAY, InUse, Use, in_words
from gorchestrator.common.reminder import Reminder

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (730 * DAY, "in 730 days"),
        (DAY + 1, "in 1 day"),
        (DAY - 1, "in 23 hours"),
        (3600, "in 60 minutes"),
        (30, "in 30 seconds"),
        (0.5, "in less than a second"),
        (0, "expired less than a second ago"),
        (-2 * DAY, "expired 2 days ago"),
    ],
)
def test_words(left, words):
    assert in_words(NOW + left, NOW) == words


@pytest.fixture
def use():
    found = Use()
    yield found
    found.end()


def server(left):
    return InUse("server", "/certs/executor.pem", "build1", NOW + left)


def told(reminder, now=NOW):
    due = [each for each in reminder.due(now) if each.name == "/certs/executor.pem"]
    reminder.tell(due, now, aloud=True)
    return len(due)


def test_it_is_told_once_a_day_from_thirty_days_on(use, caplog):
    reminder = Reminder()
    use.hold(server(31 * DAY))
    assert told(reminder) == 0
    assert [told(reminder, NOW + days * DAY) for days in (1.1, 1.2, 2.0, 2.2, 3.2)] == [1, 0, 0, 1, 1]
    assert caplog.records[0].getMessage() == (
        "the certificate server /certs/executor.pem (build1) expires in 29 days: 2027-02-15 08:00 UTC"
    )
    line = caplog.records[0]
    assert (line.event, line.levelno, line.certificate) == ("certificate_expires", logging.WARNING, server(0).name)
    assert line.not_after == "2027-02-15T08:00:00.000000Z"


def test_that_it_has_expired_is_an_error_and_told_at_once(use, caplog):
    reminder = Reminder()
    use.hold(server(60))
    assert [told(reminder), told(reminder, NOW + 59), told(reminder, NOW + 60), told(reminder, NOW + 61)] == [
        1,
        0,
        1,
        0,
    ]
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]
    assert "(build1) has expired: 2027-01-15" in caplog.records[1].getMessage()


def test_a_renewed_one_is_told_of_anew(use):
    reminder = Reminder()
    use.hold(server(DAY))
    assert told(reminder) == 1
    use.hold(server(90 * DAY))
    assert told(reminder) == 0
    use.hold(server(2 * DAY))
    assert told(reminder) == 1


def test_one_worker_speaks_for_all(use, caplog, monkeypatch):
    use.hold(server(DAY))
    for speaks, lines in ((False, 0), (True, 1)):
        monkeypatch.setattr(module, "speaks_for_all", lambda speaks=speaks: speaks)
        reminder = Reminder()
        module.remind(reminder, NOW)
        module.remind(reminder, NOW)
        assert len(caplog.records) == lines


def test_what_several_use_is_listed_once_until_none_does(use):
    other = Use()
    use.hold(server(0), InUse("executor", "a", "x", NOW))
    other.hold(server(0))
    mine = [each for each in expiry.in_use() if each.not_after == NOW]
    assert [each.key for each in mine] == ["server /certs/executor.pem", "executor a"]
    use.end()
    assert server(0).key in expiry.expiries()
    other.end()
    assert server(0).key not in expiry.expiries()
