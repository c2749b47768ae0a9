"""Secrets are hidden in logs whichever piece of them is read, and offsets stay true."""

import json
import re
import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor import forms, overlap
from executor.masking import Mask


def reading(log: bytes, hole: tuple[int, int] | None = None):
    """Return what reads pieces of a log, with nothing between the ends of a hole."""
    first, behind = hole or (len(log), len(log))

    def read(start: int, most: int) -> tuple[bytes, int, int]:
        if first <= start < behind:
            start = behind
        stop = start + most
        return log[start : min(stop, first) if start < first else stop], start, len(log)

    return read


def whole(mask: Mask, log: bytes, size: int, *, hole: tuple[int, int] | None = None) -> dict[int, bytes]:
    """Read a log in pieces of a size; returns each by where it begins."""
    found, start = {}, 0
    while start < len(log):
        data, begin, _ = mask.piece(reading(log, hole), start, size, growing=False)
        assert data
        found[begin] = data
        start = begin + len(data)
    return found


@given(
    st.lists(st.sampled_from([b"hunter2", b"hunter", b"x", b"yy\n", b"hunt", b"2"]), max_size=30).map(b"".join),
    st.integers(1, 20),
)
def test_every_way_of_reading_hides_the_same(log: bytes, size: int) -> None:
    mask = Mask(["hunter2"])
    assert b"".join(whole(mask, log, size).values()) == log.replace(b"hunter2", b"*******")


def test_of_two_that_overlap_the_longer_is_hidden() -> None:
    assert Mask(["pass", "password"]).text("a password, a pass") == "a ***, a ***"


def test_lines_of_a_long_secret_are_hidden_alone_too() -> None:
    mask = Mask(["-----BEGIN KEY-----\nMIIEvQIBADAN\nend\n-----END KEY-----"])
    assert mask.text("line: MIIEvQIBADAN; end") == "line: ***; end"


def test_what_may_begin_a_secret_is_held_back_while_the_log_grows() -> None:
    mask = Mask(["hunter2"])
    assert mask.piece(reading(b"it is hun"), 0, 100, growing=True) == (b"it is ", 0, 9)
    assert mask.piece(reading(b"it is hun"), 0, 100, growing=False) == (b"it is hun", 0, 9)
    assert mask.piece(reading(b"it is fun"), 0, 100, growing=True) == (b"it is fun", 0, 9)


@pytest.mark.parametrize("size", [3, 7, 100])
def test_a_secret_that_a_gap_has_torn_is_hidden(size: int) -> None:
    log = b"a hunter2 b hunter2 c hunter2"
    found = whole(Mask(["hunter2"]), log, size, hole=(15, 25))
    assert b"".join(found.values()) == b"a ******* b ***" + b"****"
    assert 25 in found


def test_nothing_is_hidden_without_secrets() -> None:
    assert Mask(()).text("all of it") == "all of it"
    assert Mask(()).piece(reading(b"all of it"), 4, 2, growing=True) == (b"of", 4, 9)


def test_an_output_that_is_a_secret_with_an_equals_sign_is_hidden() -> None:
    mask = Mask(["Account=me;Key=abc==", "c2VjcmV0dG9rZW4="])
    outputs = {"Account": "me;Key=abc==", "c2VjcmV0dG9rZW4": "", "colour": "blue", "all": "is Account=me;Key=abc=="}
    assert mask.outputs(outputs) == {"Account": "***", "c2VjcmV0dG9rZW4": "***", "colour": "blue", "all": "is ***"}


def test_a_line_without_its_end_is_hidden_too() -> None:
    assert Mask(["token1\r"]).text("token1") == "***"


def _as_go(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


@pytest.mark.parametrize(
    "secret", ['a"b\\c', "<a&b>", "größe 🔑", "two\nlines\tand 'more' \"of\" it\n", '-k:\r\n "a b c d"\x7f']
)
@pytest.mark.parametrize("shown", [json.dumps, partial(json.dumps, ensure_ascii=False), _as_go, repr])
def test_it_is_hidden_where_it_is_quoted(secret: str, shown: Callable[[str], str]) -> None:
    mask = Mask([secret])
    once = shown(secret)
    for text in (once, json.dumps(once), json.dumps(once, ensure_ascii=False), _as_go(once), repr(once)):
        hidden = mask.text(f"it is {text}; no more")
        assert re.fullmatch(r"it is \W+; no more", hidden), hidden
        assert "***" in hidden
        assert not set(hidden) & set("<>&🔑")
    for line in filter(lambda line: len(line.strip()) >= 8, secret.splitlines()):
        assert mask.text(f"a line: {shown(line.strip())[1:-1]}") == "a line: ***"


def test_what_has_nothing_to_escape_has_one_form() -> None:
    assert list(forms.of("hunter2-+/=")) == [b"hunter2-+/="] * 3


def test_what_is_no_text_is_no_reason_to_show_anything() -> None:
    assert Mask(["hunter2"]).text("hunter2 \ud800") == "*** ?"


@given(st.lists(st.text("ab", min_size=4, max_size=12), min_size=1, max_size=6), st.text("ab=", max_size=60))
def test_the_longest_of_many_secrets_is_hidden_wherever_they_begin(secrets: list[str], text: str) -> None:
    plain = re.compile("|".join(sorted(secrets, key=len, reverse=True)))
    assert Mask(secrets).text(text) == plain.sub("***", text)


@given(st.text("ab", min_size=1, max_size=14), st.text("ab", max_size=30))
def test_how_much_of_a_value_lies_at_an_edge(value: str, text: str) -> None:
    lengths = range(len(value))
    ending = max(length for length in lengths if text.endswith(value[:length]))
    beginning = max(length for length in lengths if text.startswith(value[len(value) - length :]))
    assert overlap.at_end(text.encode(), value.encode()) == ending
    assert overlap.at_start(text.encode(), value.encode()) == beginning


def test_a_long_secret_at_an_edge_takes_no_time_that_grows_with_its_square() -> None:
    """Ten times as long takes about ten times as long, where the worst was hundred times."""

    def seconds(length: int) -> float:
        text = b"b" + b"a" * (length - 3) + b"ca"
        started = time.process_time()
        assert overlap.at_end(text, b"a" * length) == 1
        return time.process_time() - started

    once = min(seconds(20_000) for _ in range(3))
    assert min(seconds(200_000) for _ in range(3)) < 30 * once
