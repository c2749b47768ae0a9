"""Secrets in what a server sends are hidden in whatever form and in whatever pieces it comes."""

import base64

import pytest

from executor.drivers.http.veil import Stream, Veil
from web_support import ODD, TOKEN, forms

HELD = "a%2Fb/c"


def streamed(veil: Veil, data: bytes, step: int, *, whole: bool = True) -> bytes:
    pieces: list[bytes] = []
    stream = Stream(veil, pieces.append)
    for start in range(0, len(data), step):
        stream.feed(data[start : start + step])
    stream.close(whole=whole)
    return b"".join(pieces)


@pytest.mark.parametrize("secret", [TOKEN, ODD, "a\nb\nc\n", "&amp;%%%", "\\\\\\n", "    x"])
def test_each_form_is_found_in_each_cut(secret: str) -> None:
    veil = Veil([secret, "another one"])
    for form in forms(secret):
        text = f"100% of it, \\ & {form} and more".encode()
        shown = veil.data(text)
        assert shown.startswith(b"100% of it, \\ & ")
        assert b"***" in shown
        assert shown.endswith(b" and more")
        assert form.encode() not in shown
        for step in (1, 2, 3, 5, 11):
            assert streamed(veil, text, step) == shown


@pytest.mark.parametrize("text", ["", "a", "%", "%4", "\\", "\\u12", "&am", "100 %25 \\\\ &lt;", "Köln + 0123-token"])
def test_what_is_no_secret_stays(text: str) -> None:
    veil = Veil([TOKEN])
    assert veil.text(text) == text
    assert streamed(veil, text.encode(), 1).decode() == text


def test_without_secrets_all_stays() -> None:
    assert Veil([]).text("\\u0041 half a pair: \ud800") == "\\u0041 half a pair: \ud800"
    assert streamed(Veil([]), b"%41%", 1, whole=False) == b"%41%"


def test_only_what_may_be_a_secret_is_held_back() -> None:
    pieces: list[bytes] = []
    stream = Stream(Veil([HELD]), pieces.append)
    stream.feed(b"first\n<a%252")
    assert pieces == [b"first\n<"]
    stream.feed(b"Fb/")
    stream.feed(b"d\n")
    assert pieces == [b"first\n<", b"a%252Fb/d\n"]


def test_of_one_that_was_cut_off_nothing_is_shown() -> None:
    assert streamed(Veil([TOKEN]), b"key=0123%2Dtoken%2D456", 4, whole=False) == b"key=***"
    assert streamed(Veil([TOKEN]), b"key=0123-toke", 4, whole=True) == b"key=0123-toke"


def test_overlapping_ones_are_hidden_as_one() -> None:
    veil = Veil(["abcdef", "defghi"])
    assert veil.text("<abcdefghi>") == "<***>"
    assert streamed(veil, b"<abcdefghi>", 1).decode() in {"<***>", "<***ghi>"}


def test_base64_is_found_wherever_it_begins() -> None:
    veil = Veil([TOKEN])
    for ahead in range(7):
        coded = base64.b64encode(b"x" * ahead + TOKEN.encode() + b"tail").decode()
        begin, _, end = veil.text(coded).partition("***")
        assert len(begin) <= ahead * 8 / 6 + 1
        assert len(end.rstrip("=")) <= len("tail") * 8 / 6 + 1


def test_large_pieces_are_looked_at_elsewhere() -> None:
    text = b"%41" * 3000 + b"0123%2dtoken-4567" + b"\\u0041" * 3000
    assert streamed(Veil([TOKEN]), text, 16 * 1024) == b"%41" * 3000 + b"***" + b"\\u0041" * 3000
