"""Hiding secrets in what a server sends back: it may have them in another form than the one that was sent.

What hides the values themselves when a log is read does not recognise these. So here they are taken out before anything
is written: percent-encoded (in a redirect's address), escaped as in JSON or HTML, each perhaps twice, or as base64.
"""

import base64
import html
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from urllib.parse import unquote_to_bytes

import gevent

from executor import overlap

SHOWN = b"***"
LEAST = 4  # bytes
SMALL = 2 * 1024  # bytes that are looked at without a thread: 5 ms, if each of them is part of an escape
DEPTH = 3  # escapes of escapes: an address that is part of another one, in a JSON answer
ESCAPE = re.compile(
    rb"%[0-9A-Fa-f]{2}"
    rb"|\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[\"\\/bfnrt]"
    rb"|&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#[Xx][0-9A-Fa-f]{1,6});"
)
BEGUN = re.compile(  # of an escape at the end, whose rest is still to come
    rb"(?:%[0-9A-Fa-f]?|\\(?:u[0-9A-Fa-f]{0,3})?|\\u[Dd][89ABab][0-9A-Fa-f]{2}(?:\\(?:u[0-9A-Fa-f]{0,3})?)?|&#?[0-9A-Za-z]{0,7})\Z"
)
#: Case does not matter, since names of hosts lose it; a plus sign may stand for a blank.
FOLDED = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ+", b"abcdefghijklmnopqrstuvwxyz ")
URL_SAFE = bytes.maketrans(b"+/", b"-_")

Span = tuple[int, int]


class Veil:
    """Knows what is to be hidden."""

    def __init__(self, secrets: Iterable[str]) -> None:
        given = {form for secret in secrets for form in (secret, secret.strip())}
        # Headers are sent in UTF-8 and often read as Latin-1.
        values = {form.encode() for text in given for form in (text, text.encode().decode("latin-1"))}
        known = sorted((value for value in values if len(value) >= LEAST), key=len, reverse=True)
        # A value may itself look like an escape, which is not told from one where others of it were escaped.
        meanings = {meaning for value in known for meaning in _meanings(value) if len(meaning.strip()) >= LEAST}
        self._folded = [value.translate(FOLDED) for value in (*known, *meanings.difference(known))]
        self._exact = [form for value in known for form in _base64(value)]

    def __bool__(self) -> bool:
        return bool(self._folded)

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        return self.data(text.encode(errors="replace")).decode(errors="replace") if self else text

    def data(self, data: bytes) -> bytes:
        """Return bytes without secrets."""
        return _without(data, _merged(self._spans(data, DEPTH))) if self else data

    def stream(self, write: Callable[[bytes], None]) -> "Stream":
        """Return what writes pieces of one text; a secret may lie across them."""
        return Stream(self, write)

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the begin of a text without secrets, and its end as it is, with which one may begin."""
        if not self:
            return data, b""
        cut, spans = self._cut(data, DEPTH), _merged(self._spans(data, DEPTH))
        cut = max([cut, *(end for start, end in spans if start < cut)])
        return _without(data[:cut], [span for span in spans if span[1] <= cut]), data[cut:]

    def _spans(self, data: bytes, depth: int) -> list[Span]:
        """Return where secrets are: in the bytes as they are, and in what they mean."""
        found = [*_found(data.translate(FOLDED), self._folded), *_found(data, self._exact)]
        if depth and ESCAPE.search(data):
            meant = _Meant(data)
            found += [meant.span(*span) for span in self._spans(meant.data, depth - 1)]
        return found

    def _cut(self, data: bytes, depth: int) -> int:
        """Return where the first secret may begin whose end is not there yet."""
        begun = BEGUN.search(data[-16:])
        whole = data[: len(data) - len(begun[0])] if begun else data
        cut = min(_torn(whole.translate(FOLDED), self._folded), _torn(whole, self._exact))
        if depth and ESCAPE.search(whole):
            meant = _Meant(whole)
            deeper = self._cut(meant.data, depth - 1)
            if deeper < len(meant.data):
                cut = min(cut, meant.span(deeper, deeper + 1)[0])
        return cut


class Stream:
    """Writes pieces of one text without secrets, each as soon as it can be told that none begins with its end."""

    def __init__(self, veil: Veil, write: Callable[[bytes], None]) -> None:
        self._veil = veil
        self._write = write
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        """Write the next piece, but for an end that may belong to a secret."""
        known = self._rest + piece
        split = self._veil.split
        in_thread = bool(self._veil) and len(known) > SMALL
        ready, self._rest = gevent.get_hub().threadpool.apply(split, (known,)) if in_thread else split(known)
        if ready:
            self._write(ready)

    def close(self, *, whole: bool) -> None:
        """Write the end. Where more was to follow, it is not shown: that would be most of a secret."""
        if self._rest:
            self._write(self._veil.data(self._rest) if whole else SHOWN)
        self._rest = b""


class _Meant:
    """What bytes with escapes mean, and where each byte of that comes from."""

    def __init__(self, raw: bytes) -> None:
        pieces, self._here, self._there = [], [0], [0]  # by turns: where a run of plain bytes begins, and an escape
        size = end = 0
        for match in ESCAPE.finditer(raw):
            size += match.start() - end
            meaning = _meaning(match[0])
            pieces += [raw[end : match.start()], meaning]
            self._here += [size, size + len(meaning)]
            self._there += [match.start(), match.end()]
            size, end = size + len(meaning), match.end()
        self.data = b"".join([*pieces, raw[end:]])

    def span(self, start: int, end: int) -> Span:
        """Return the bytes that these were made of; ``start`` < ``end``."""
        first, last = self._at(start), self._at(end - 1)
        begin = self._there[first] + (0 if first % 2 else start - self._here[first])
        return begin, self._there[last + 1] if last % 2 else self._there[last] + end - self._here[last]

    def _at(self, place: int) -> int:
        return bisect_right(self._here, place) - 1


def _meanings(value: bytes) -> Iterator[bytes]:
    for _ in range(DEPTH):
        value = _Meant(value).data
        yield value


@lru_cache(maxsize=4096)
def _meaning(escape: bytes) -> bytes:
    if escape.startswith(b"%"):
        return unquote_to_bytes(escape)
    if escape.startswith(b"\\"):
        text: str = json.loads(b'"' + escape + b'"')
        return text.encode(errors="replace")
    return html.unescape(escape.decode()).encode(errors="replace")


def _base64(value: bytes) -> list[bytes]:
    """Return the characters that a value is sure to have in base64, depending on how many bytes are ahead of it."""
    forms = set()
    for ahead in range(3):
        coded = base64.b64encode(bytes(ahead) + value)
        forms.add(coded[-(-8 * ahead // 6) : 8 * (ahead + len(value)) // 6])
    return sorted(forms | {form.translate(URL_SAFE) for form in forms})


def _found(data: bytes, values: Iterable[bytes]) -> list[Span]:
    spans = []
    for value in values:
        end = 0
        while (start := data.find(value, end)) >= 0:
            end = start + len(value)
            spans.append((start, end))
    return spans


def _torn(data: bytes, values: Iterable[bytes]) -> int:
    """Return where the longest end begins with which one of the values begins; the size if there is none."""
    return len(data) - max((overlap.at_end(data, value) for value in values), default=0)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Return spans in their order, those that overlap as one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _without(data: bytes, spans: Iterable[Span]) -> bytes:
    pieces, end = [], 0
    for start, stop in spans:
        pieces += [data[end:start], SHOWN]
        end = stop
    return b"".join([*pieces, data[end:]])
