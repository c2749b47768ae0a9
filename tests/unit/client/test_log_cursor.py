"""All of a short log is stored, head and tail of a long one, and each byte at its place, whoever stores it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gorchestrator.client.answers import JobView
from gorchestrator.client.log_cursor import LogCursor
from gorchestrator.common.states import State

PIECE = 64


def text(size):
    return bytes(number % 251 for number in range(size))


class Executor:
    """Shows an attempt that prints ``log``. It ``keeps`` so many bytes of it, half from the start."""

    def __init__(self, log, keeps=10**9, piece=PIECE):
        self.log, self.keeps, self.piece = log, keeps, piece
        self.size = 0
        self.final = False

    def print_to(self, size):
        self.size = max(self.size, min(size, len(self.log)))

    def end(self):
        self.print_to(len(self.log))
        self.final = True

    def show(self, start):
        """Return the answer to who asks from ``start`` on; None: not for the log."""
        first, behind = self.keeps // 2, self.size - (self.keeps - self.keeps // 2)
        begin, end = start or 0, self.size
        if start is not None and first <= begin < behind:
            begin = behind
        elif begin < first < behind:
            end = first
        data = b"" if start is None else self.log[begin : min(end, begin + self.piece)]
        state = State.SUCCESS if self.final else State.RUNNING
        return JobView(state, None, None, 0, {}, None, None, False, [], data, begin, begin + len(data), self.size)


class Stored:
    """What the journal holds of the log: it drops what it has up to its end, as ``store.logs`` does."""

    def __init__(self):
        self.rows = []

    @property
    def end(self):
        return self.rows[-1][0] + len(self.rows[-1][1]) if self.rows else 0

    def __call__(self, offset, data):
        assert data
        known = max(0, self.end - offset)
        if known < len(data):
            self.rows.append((offset + known, data[known:]))

    @property
    def parts(self):
        """The bytes between gaps, by their offsets."""
        found = []
        for offset, data in self.rows:
            if found and found[-1][0] + len(found[-1][1]) == offset:
                found[-1] = (found[-1][0], found[-1][1] + data)
            else:
                found.append((offset, data))
        return found


class Owner:
    """Follows the log: the first call is the PUT, which brings the start of the log along."""

    def __init__(self, executor, stored, limit):
        self.executor = executor
        self.cursor = LogCursor(stored.end, limit, stored)
        self.view = None
        self.done = False

    def call(self):
        if not self.done:
            self.view = self.executor.show(0 if self.view is None else self.cursor.wanted(self.view))
            self.done = self.cursor.take(self.view)

    def finish(self):
        for _ in range(1000):
            if self.done:
                return
            self.call()
        pytest.fail("it asks for ever")


def fetch(log, limit, *, grown=(), **options):
    """Follow a log that has the sizes ``grown`` while its attempt runs, then ends; return what is stored."""
    executor, stored = Executor(log, **options), Stored()
    owner = Owner(executor, stored, limit)
    for size in grown:
        executor.print_to(size)
        owner.call()
    assert not owner.done
    executor.end()
    owner.finish()
    return stored.parts


def head_and_tail(log, limit):
    if len(log) <= limit:
        return [(0, log)] if log else []
    tail = len(log) - (limit - limit // 2)
    return [(0, log[: limit // 2]), (tail, log[tail:])]


def test_a_short_log_comes_with_the_first_answer():
    executor, stored = Executor(b"hello"), Stored()
    executor.end()
    assert LogCursor(0, 1000, stored).take(executor.show(0))
    assert stored.rows == [(0, b"hello")]


def test_an_empty_log_is_complete():
    assert fetch(b"", 1000) == []


def test_a_log_is_fetched_to_its_end_though_its_attempt_has_ended():
    assert fetch(text(700), 10_000) == [(0, text(700))]


def test_a_running_attempt_is_not_asked_for_more_than_the_head():
    executor, stored = Executor(bytes(900)), Stored()
    owner = Owner(executor, stored, 100)
    executor.print_to(500)
    owner.call()
    assert stored.end == 50
    assert owner.cursor.wanted(owner.view) is None
    owner.call()
    assert stored.end == 50
    assert not owner.done


def test_of_a_long_log_head_and_tail_are_kept_at_their_offsets():
    assert fetch(text(5000), 400, grown=(10, 100, 2000)) == [(0, text(5000)[:200]), (4800, text(5000)[4800:])]


def test_head_and_tail_may_come_with_one_answer():
    executor, stored = Executor(text(450), piece=1000), Stored()
    executor.end()
    assert LogCursor(0, 400, stored).take(executor.show(0))
    assert stored.parts == head_and_tail(text(450), 400)


@pytest.mark.parametrize("size", [900, 1000, 1001, 5000])
def test_where_the_executor_keeps_less_there_is_one_gap(size):
    """It frees the middle while the attempt runs: what follows is fetched at the end, when it stays."""
    assert fetch(text(size), 1000, grown=(64, 300, 500, 700, 800), keeps=200) == head_and_tail(text(size), 200)


def test_while_the_executor_frees_what_is_next_it_is_not_asked_for_what_moves_on():
    executor, stored = Executor(text(900), keeps=200), Stored()
    owner = Owner(executor, stored, 1000)
    for size in (64, 300):
        executor.print_to(size)
        owner.call()
    assert owner.cursor.wanted(owner.view) == 100
    executor.print_to(500)
    owner.call()
    assert owner.view.log_from == 400
    assert owner.cursor.wanted(owner.view) is None
    assert stored.parts == [(0, text(100))]


def test_what_was_freed_before_it_was_fetched_is_one_gap_with_what_is_not_wanted():
    assert fetch(text(5000), 200, grown=(64, 1000), keeps=150) == [(0, text(5000)[:75]), (4925, text(5000)[4925:])]


SIZES = {
    "size": st.integers(0, 2000),
    "limit": st.integers(2, 3000),
    "cuts": st.lists(st.integers(0, 2000), max_size=4),
}


@given(**SIZES)
def test_whatever_the_answers_cut_the_log_is_kept_as_far_as_the_limit_allows(size, limit, cuts):
    assert fetch(text(size), limit, grown=sorted(cuts)) == head_and_tail(text(size), limit)


STEPS = st.lists(st.one_of(st.integers(0, 2000), st.sampled_from(["kill", "second", "call", "end"])), max_size=30)


@given(size=SIZES["size"], limit=SIZES["limit"], less=st.integers(200, 3000), steps=STEPS)
def test_whoever_is_killed_and_whoever_takes_over_each_byte_is_stored_once_and_at_its_place(size, limit, less, steps):
    """A process may die after each piece; another may follow the same attempt without knowing of the first."""
    log = text(size)
    executor, stored = Executor(log, keeps=less), Stored()
    owners = [Owner(executor, stored, limit)]
    for step in steps:
        match step:
            case int():
                executor.print_to(step)
            case "end":
                executor.end()
            case "kill":
                owners[0] = Owner(executor, stored, limit)
            case "second":
                owners.append(Owner(executor, stored, limit))
        owners[-1 if step == "second" else 0].call()
    executor.end()
    for owner in reversed(owners):
        owner.finish()
    if less >= limit:
        assert stored.parts == head_and_tail(log, limit)
        return
    assert len(stored.parts) <= 2
    assert all(log[offset : offset + len(data)] == data for offset, data in stored.parts)
    assert stored.end == size
    kept = min(size, less)
    assert sum(len(data) for _, data in stored.parts) >= kept


@pytest.mark.parametrize(("size", "end"), [(150, 64), (5000, 64), (5000, 448), (5000, 4564)])
def test_what_was_stored_before_is_not_fetched_again(size, end):
    executor, stored = Executor(text(size)), Stored()
    executor.end()
    first = Owner(executor, stored, 1000)
    while stored.end < end:
        first.call()
    assert stored.end == end
    second = Owner(executor, stored, 1000)
    second.call()
    assert second.cursor.wanted(second.view) == end


@pytest.mark.parametrize("size", [150, 5000])
def test_killed_behind_any_piece_the_next_one_stores_the_rest(size):
    log, limit = text(size), 1000
    for pieces in range(20):
        executor, stored = Executor(log), Stored()
        executor.end()
        first = Owner(executor, stored, limit)
        for _ in range(pieces):
            first.call()
        assert len(stored.rows) <= pieces
        Owner(executor, stored, limit).finish()
        assert stored.parts == head_and_tail(log, limit)


@pytest.mark.parametrize("limit", [10_000, 200])
def test_what_a_daemon_prints_after_the_end_is_not_waited_for(limit):
    executor, stored = Executor(b"x" * 500 + b"y" * 50_000), Stored()
    executor.print_to(500)
    executor.final = True
    owner = Owner(executor, stored, limit)
    for _ in range(100):
        owner.call()
        executor.print_to(executor.size + 500)  # faster than it can be fetched
    assert owner.done
    assert stored.parts == head_and_tail(b"x" * 500, limit)


def test_what_was_removed_after_the_end_is_not_waited_for():
    executor, stored = Executor(text(500)), Stored()
    executor.end()
    owner = Owner(executor, stored, 1000)
    owner.call()
    executor.size = 0
    owner.finish()
    assert stored.parts == [(0, text(64))]
