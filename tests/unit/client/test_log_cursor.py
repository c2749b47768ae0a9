"""All of a short log is stored, head and tail of a long one, and nothing twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gorchestrator.client.api import JobView
from gorchestrator.client.log_cursor import LogCursor
from gorchestrator.common.states import State

PIECE = 64


def view(log, start, *, final=False, piece=PIECE):
    """Return an answer of an executor that was asked for a log from ``start`` on; None: it was not asked."""
    data = b"" if start is None else log[start : start + piece]
    state = State.SUCCESS if final else State.RUNNING
    begin = start or 0
    return JobView(state, None, None, 0, {}, None, None, False, [], data, begin, begin + len(data), len(log))


def fetch(log, limit, *, grown=(), stored=b"", piece=PIECE):
    """Follow a log that has the sizes ``grown`` while its attempt runs, then ends; return all that is stored."""
    kept = [stored]
    cursor = LogCursor(len(stored), limit, kept.append)
    last = view(log[: grown[0] if grown else len(log)], 0, final=not grown, piece=piece)  # the answer to a PUT
    done = cursor.take(last)
    for size in [*grown[1:], *([None] if grown else [])]:
        assert not done
        part = log if size is None else log[:size]
        last = view(part, cursor.wanted(last), final=size is None, piece=piece)
        done = cursor.take(last)
    for _ in range(1000):
        if done:
            return b"".join(kept)
        last = view(log, cursor.wanted(last), final=True, piece=piece)
        done = cursor.take(last)
    pytest.fail("it asks for ever")


def test_a_short_log_comes_with_the_first_answer():
    kept = []
    cursor = LogCursor(0, 1000, kept.append)
    assert cursor.take(view(b"hello", 0, final=True))
    assert kept == [b"hello"]


def test_an_empty_log_is_complete():
    assert LogCursor(0, 1000, pytest.fail).take(view(b"", 0, final=True))


def test_a_log_is_fetched_to_its_end_though_its_attempt_has_ended():
    log = bytes(range(256)) * 3
    assert fetch(log, 10_000) == log


def test_a_running_attempt_is_not_asked_for_more_than_the_head():
    kept = []
    cursor = LogCursor(0, 100, kept.append)
    last = view(bytes(500), 0)
    assert not cursor.take(last)
    assert sum(map(len, kept)) == 50
    assert cursor.wanted(last) is None
    assert not cursor.take(view(bytes(900), None))
    assert sum(map(len, kept)) == 50


def test_of_a_long_log_head_and_tail_are_kept_and_the_gap_is_told():
    log = bytes(number % 251 for number in range(5000))
    assert fetch(log, 400, grown=(10, 100, 2000)) == (
        log[:200] + b"\n[... %d bytes left out ...]\n" % (5000 - 400) + log[-200:]
    )


def test_what_was_stored_before_is_not_stored_again():
    log = bytes(number % 251 for number in range(300))
    assert fetch(log, 10_000, stored=log[:40]) == log
    assert fetch(log, 10_000, stored=log[:299], grown=(150, 300)) == log


def test_what_the_executor_does_not_keep_is_told_too():
    """Its limit is lower than the one here: it answers with what follows its own gap."""
    kept = []
    cursor = LogCursor(0, 1000, kept.append)
    log = bytes(number % 251 for number in range(900))
    assert not cursor.take(view(log[:300], 0, piece=100))
    assert cursor.wanted() == 100
    assert not cursor.take(view(log, 700, piece=100))
    assert cursor.take(view(log, 700, final=True, piece=200))
    assert b"".join(kept) == log[:100] + b"\n[... 600 bytes left out ...]\n" + log[700:]


@given(
    size=st.integers(0, 2000),
    limit=st.integers(2, 3000),
    cuts=st.lists(st.integers(0, 2000), max_size=4),
    before=st.integers(0, 2000),
)
def test_whatever_the_answers_cut_the_log_is_kept_as_far_as_the_limit_allows(size, limit, cuts, before):
    log = bytes(number % 251 for number in range(size))
    stored = log[: min(before, limit // 2)]
    kept = fetch(log, limit, grown=sorted(min(cut, size) for cut in cuts), stored=stored)
    head, gap, tail = kept.partition(b"\n[... ")
    if not gap:
        assert kept == log
        return
    left_out, _, tail = tail.partition(b" bytes left out ...]\n")
    assert log.startswith(head)
    assert log.endswith(tail)
    assert len(head) + int(left_out) + len(tail) == size
    assert len(tail) == limit - limit // 2
    assert len(head) == limit // 2


@pytest.mark.parametrize("limit", [10_000, 200])
def test_what_a_daemon_prints_after_the_end_is_not_waited_for(limit):
    kept = []
    cursor = LogCursor(0, limit, kept.append)
    log = b"x" * 500
    last = view(log, 0, final=True)
    done = cursor.take(last)
    for _ in range(100):
        if done:
            break
        log += b"y" * 500  # faster than it can be fetched
        last = view(log, cursor.wanted(last), final=True)
        done = cursor.take(last)
    assert done
    assert b"yy" not in b"".join(kept)
    assert b"".join(kept).count(b"left out") == (limit < 500)
