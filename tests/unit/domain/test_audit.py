"""The chain of the audit: whoever has not the key changes nothing of it unseen."""

import secrets
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gorchestrator.domain.audit import BROKEN, KEY_SIZE, End, Fault, Key, Line, joint, verify

KEY = Key(secrets.token_bytes(KEY_SIZE))
NEW_KEY = Key(secrets.token_bytes(KEY_SIZE))
KEYS = {KEY.name: KEY}
TEXT = ("actor", "source", "action", "subject", "details")
Chain = tuple[list[Line], End]


def chain(size: int, *, pruned: int = 0, keys: Sequence[Key] = ()) -> Chain:
    """Return lines and their end, as a service writes and prunes them; ``keys``: those of the last lines."""
    lines, before = [], ("", "")
    for number in range(1, size + 1):
        key = KEY if number <= size - len(keys) else keys[number - size - 1]
        empty = Line(number, 1000 + number, "joe", "::1", "task.cancel", f"{number:032x}", "{}", "")
        lines.append(key.line(empty, joint(*before, key.name)))
        before = lines[-1].mac, lines[-1].key
    first = lines[pruned - 1] if pruned else Line(0, 0, "", "", "", "", "", "", "")
    end = End(size, *before, pruned, first.mac, first.key)
    return lines[pruned:], (keys[-1] if keys else KEY).end(end)


def fault(lines: Sequence[Line], end: End | None, outside: End | None = None) -> Fault | None:
    return verify(lines, end, outside or end, KEYS).fault


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    pruned = draw(st.integers(0, 5))
    return chain(pruned + draw(st.integers(2, 8)), pruned=pruned)


@given(chains())
def test_what_was_left_alone_holds(whole: Chain) -> None:
    lines, end = whole
    verdict = verify(lines, end, end, KEYS)
    assert (verdict.lines, verdict.pruned, verdict.fault) == (len(lines), end.pruned, None)


@given(chains(), st.data())
def test_a_line_that_was_changed_is_named(whole: Chain, data: st.DataObject) -> None:
    lines, end = whole
    place = data.draw(st.integers(0, len(lines) - 1))
    line, name = lines[place], data.draw(st.sampled_from([*TEXT, "at", "mac", "key"]))
    value = data.draw(st.integers() if name == "at" else st.text(max_size=70))
    lines[place] = line._replace(**{name: value})
    found = fault(lines, end)
    assert (found is None) is (value == getattr(line, name))
    assert found is None or found.number == line.number


@given(chains(), st.data())
def test_a_line_that_was_removed_is_named_wherever_it_stood(whole: Chain, data: st.DataObject) -> None:
    lines, end = whole
    gone = lines.pop(data.draw(st.integers(0, len(lines) - 1)))
    found = fault(lines, end)
    assert found is not None
    assert found.number == gone.number
    assert "removed" in found.text


@given(chains(), st.data())
def test_lines_in_another_order_are_found(whole: Chain, data: st.DataObject) -> None:
    lines, end = whole
    moved = data.draw(st.permutations(lines))
    found = fault(moved, end)
    assert (found is None) is (moved == lines)
    # With the numbers of their new places, too.
    numbered = [line._replace(number=there.number) for line, there in zip(moved, lines, strict=True)]
    found = fault(numbered, end)
    assert (found is None) is (moved == lines)
    first = next((there.number for line, there in zip(moved, lines, strict=True) if line != there), None)
    assert found is None or found.number == first


@given(chains(), st.data())
def test_a_shorter_chain_is_found_even_with_the_end_that_it_once_had(whole: Chain, data: st.DataObject) -> None:
    lines, end = whole
    left = data.draw(st.integers(0, len(lines) - 1))
    found = fault(lines[:left], end)
    assert found is not None
    assert found.number == end.pruned + left + 1
    if left:
        once = KEY.end(end._replace(number=lines[left - 1].number, mac=lines[left - 1].mac))
        found = fault(lines[:left], once, end)
        assert found is not None
        assert f"the last line was {end.number}, as is kept beside the key" in found.text


@given(chains(), st.sampled_from([*End._fields]))
def test_an_end_that_was_changed_is_found(whole: Chain, name: str) -> None:
    lines, end = whole
    value = getattr(end, name)
    changed = end._replace(**{name: value + 1 if isinstance(value, int) else f"{value}0"})
    assert fault(lines, changed, end) is not None
    assert fault(lines, end, changed) is not None


def _added(lines: list[Line], end: End) -> None:
    lines.append(lines[-1]._replace(number=end.number + 1))


def _twice(lines: list[Line], end: End) -> None:
    lines.insert(1, lines[0])


@pytest.mark.parametrize("change", [_added, _twice])
def test_lines_that_were_added_are_found(change: Callable[[list[Line], End], None]) -> None:
    lines, end = chain(4)
    change(lines, end)
    assert fault(lines, end) is not None


def test_an_end_of_another_time_is_found() -> None:
    lines, end = chain(4)
    older = KEY.end(End(3, lines[2].mac, KEY.name))
    assert fault(lines, older) == Fault(4, "line 4 was added behind the end, line 3")
    other = KEY.end(end._replace(mac="0" * 64))
    assert fault(lines, other, end) == Fault(4, "line 4 is not the one that was the last one")


def test_an_end_that_is_missing_is_found() -> None:
    lines, end = chain(3)
    assert fault(lines, None, end) is not None
    assert fault([], None, end) is not None
    assert verify(lines, end, None, KEYS).fault == Fault(None, "the end beside the key is missing or damaged")
    assert verify([], None, None, KEYS).fault is None
    assert verify([], None, End(), KEYS).fault is None


def test_an_older_end_beside_the_key_holds_as_far_as_it_goes() -> None:
    lines, end = chain(5)
    older = KEY.end(End(3, lines[2].mac, KEY.name))
    assert fault(lines, end, older) is None
    found = fault(lines, end, KEY.end(older._replace(mac="0" * 64)))
    assert found is not None
    assert found.number == 3


def test_a_line_behind_an_end_that_was_not_the_right_one_stays_a_fault() -> None:
    lines, end = chain(3)
    lines[2] = KEY.line(lines[2], BROKEN)
    found = fault(lines, KEY.end(end._replace(mac=lines[2].mac)))
    assert found is not None
    assert found.number == 3
    assert "lines had been removed there" in found.text


def test_another_key_is_named_and_both_together_read_the_whole_chain() -> None:
    lines, end = chain(5, keys=[NEW_KEY] * 2)
    check = partial(verify, lines, end, end)
    assert check({KEY.name: KEY, NEW_KEY.name: NEW_KEY}).fault is None
    old_is_lost = check({NEW_KEY.name: NEW_KEY}).fault
    assert old_is_lost == Fault(1, f"line 1 was signed with another key ({KEY.name}) than is here ({NEW_KEY.name})")
    new_is_lost = check(KEYS).fault
    assert new_is_lost is not None
    assert f"was signed with another key ({NEW_KEY.name})" in new_is_lost.text


def test_nobody_gets_rid_of_lines_by_claiming_that_another_key_signed_the_end() -> None:
    lines, _ = chain(3)
    claimed = joint(lines[1].mac, "0123456789abcdef", KEY.name)  # what the service covers when it finds such an end
    lines[2] = KEY.line(lines[2], claimed)
    found = fault(lines, KEY.end(End(3, lines[2].mac, KEY.name)))
    assert found is not None
    assert found.number == 3
