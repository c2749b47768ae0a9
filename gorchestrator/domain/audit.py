"""The audit: who did what, as lines of which each vouches for all before it.

A line's MAC covers the line and the MAC before it, and the :class:`End` says which line is the last one, so whoever has
not the key cannot change, remove, add or move a line unseen. It stands here, and not in the store, because how a chain
is made and read has nothing to do with where it is kept.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

KEY_SIZE = 32  # bytes
LOCAL = "local"  # the source of what was done on the machine itself, without the API
#: What stands for the MAC before a line whose writer found that the end was not what the service had left.
BROKEN = "broken"


class Action(StrEnum):
    """What was done."""

    SUBMIT = "task.submit"
    CANCEL = "task.cancel"
    RERUN = "task.rerun"
    RESOLVE = "node.resolve"
    TOKEN_CREATE = "token.create"  # noqa: S105  (no secret)
    TOKEN_REVOKE = "token.revoke"  # noqa: S105
    RELOAD = "settings.reload"
    START = "settings.start"
    RESTORE = "journal.restore"
    PRUNE = "audit.prune"


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody, and where from: the address of a request, or ``local``. ``key`` tells those of one name apart."""

    actor: str
    source: str = LOCAL
    key: str = ""


SERVICE = Who("engine")  # what nobody else has asked for


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody did: ``subject`` is the id of a task or token, or a name; ``details`` fit into JSON."""

    who: Who
    action: Action
    subject: str
    details: Mapping[str, object] = field(default_factory=dict)


class Line(NamedTuple):
    """One line as it is kept. ``at``: microseconds since the epoch. ``key``: the name of the key of its ``mac``."""

    number: int
    at: int
    actor: str
    source: str
    action: str
    subject: str
    details: str  # JSON
    key: str
    mac: str = ""


class End(NamedTuple):
    """The last line, and the last one of those that were pruned: their numbers, MACs and keys. Signed."""

    number: int = 0
    mac: str = ""
    key: str = ""
    pruned: int = 0
    pruned_mac: str = ""
    pruned_key: str = ""
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines somebody asks for, the newest first; times in seconds since the epoch.

    ``before``: only those with a smaller number.
    """

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: float | None = None
    until: float | None = None
    before: int | None = None
    limit: int = 100


class Key:
    """The secret of the MACs. ``name`` tells it from others and gives nothing of it away."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_SIZE:
            raise ValueError(f"a key has {KEY_SIZE} bytes, not {len(secret)}")
        self._secret = secret
        self.name = sha256(b"gorchestrator audit key\0" + secret).hexdigest()[:16]

    def line(self, line: Line, before: str) -> Line:
        """Return a line with its key and MAC. ``before``: see :func:`joint`."""
        named = line._replace(key=self.name)
        return named._replace(mac=self._mac("line", before, *named[:-1]))

    def end(self, end: End) -> End:
        """Return an end as it is signed."""
        return end._replace(sign=self._mac("end", *end[:-1]))

    def made(self, line: Line, before: str) -> bool:
        """Whether a line is as it was written behind ``before``."""
        return hmac.compare_digest(self.line(line, before).mac.encode(), line.mac.encode())

    def signed(self, end: End) -> bool:
        """Whether an end is as it was signed."""
        return hmac.compare_digest(self.end(end).sign.encode(), end.sign.encode())

    def _mac(self, *values: object) -> str:
        return hmac.new(self._secret, json.dumps(values).encode(), sha256).hexdigest()


def joint(mac: str, key: str, name: str) -> str:
    """Return what the next line's MAC covers of a line before it; it says where another key (``name``) goes on."""
    return mac if key in {"", name} else f"{key}:{mac}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an audit: the number of the first line that is concerned, if any, and a sentence."""

    number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying has found: how many lines there are, what was pruned before them, and the first fault, if any."""

    lines: int
    pruned: int
    fault: Fault | None


def verify(lines: Iterable[Line], end: End | None, outside: End | None, keys: Mapping[str, Key]) -> Verdict:
    """Read all lines, by their numbers, and tell the first fault.

    ``end``: that of the database. ``outside``: the one that is kept beside the key; it may be older. ``keys``: by name.
    """
    if end is None:
        count = sum(1 for _ in lines)
        lost = count or (outside is not None and outside.number)
        return Verdict(count, 0, Fault(None, "the end of the audit is missing from the database") if lost else None)
    reading = _Reading(end, outside, keys)
    fault = _of_end(end, keys, "the end in the database")
    for line in () if fault else lines:
        if fault := reading.take(line):
            break
    return Verdict(reading.count, end.pruned, fault or reading.stop())


class _Reading:
    """Goes from line to line."""

    def __init__(self, end: End, outside: End | None, keys: Mapping[str, Key]) -> None:
        self._end, self._outside, self._keys = end, outside, keys
        self._number, self._mac, self._key = end.pruned, end.pruned_mac, end.pruned_key
        self._seen: dict[int, str] = {end.pruned: end.pruned_mac}  # the MAC of the line that ``outside`` names
        self.count = 0

    def take(self, line: Line) -> Fault | None:
        """Return what is wrong with the next line."""
        wanted = self._number + 1
        if line.number > self._end.number:
            return Fault(line.number, f"line {line.number} was added behind the end, line {self._end.number}")
        if line.number > wanted:
            gone = f"line {wanted} is" if line.number == wanted + 1 else f"lines {wanted} to {line.number - 1} are"
            return Fault(wanted, f"{gone} missing: removed, or moved")
        if line.number < wanted:
            return Fault(line.number, f"line {line.number} stands where line {wanted} belongs: moved, or added")
        if fault := self._of_line(line):
            return fault
        self._number, self._mac, self._key = line.number, line.mac, line.key
        if self._outside is not None and line.number == self._outside.number:
            self._seen[line.number] = line.mac
        self.count += 1
        return None

    def _of_line(self, line: Line) -> Fault | None:
        key = self._keys.get(line.key)
        if key is None:
            return Fault(line.number, f"line {line.number} {_foreign(line.key, self._keys)}")
        if key.made(line, joint(self._mac, self._key, line.key)):
            return None
        if key.made(line, BROKEN):
            text = f"before line {line.number} was written the end was not the right one: lines had been removed there"
            return Fault(line.number, f"{text}, or an older database was put back without gorch restore")
        return Fault(line.number, f"line {line.number} was changed, or is not where it was written")

    def stop(self) -> Fault | None:
        """Return what is wrong behind the last line."""
        end = self._end
        if self._number < end.number:
            text = f"the end is missing: lines {self._number + 1} to {end.number} were removed"
            return Fault(self._number + 1, text)
        if (self._mac, self._key) != (end.mac, end.key):
            return Fault(end.number, f"line {end.number} is not the one that was the last one")
        return self._of_outside()

    def _of_outside(self) -> Fault | None:
        end, outside = self._end, self._outside
        if outside is None:
            return Fault(None, "the end beside the key is missing or damaged") if end.number else None
        if fault := _of_end(outside, self._keys, "the end beside the key"):
            return fault
        if outside.number > end.number:
            text = f"the end is missing: the last line was {outside.number}, as is kept beside the key"
            return Fault(end.number + 1, f"{text}, and is {end.number} now")
        if self._seen.get(outside.number, outside.mac) != outside.mac:
            return Fault(outside.number, f"line {outside.number} is another one than is kept beside the key")
        return None


def _of_end(end: End, keys: Mapping[str, Key], what: str) -> Fault | None:
    key = keys.get(end.key)
    if key is None:
        return Fault(None, f"{what} {_foreign(end.key, keys)}")
    return None if key.signed(end) else Fault(None, f"{what} was changed")


def _foreign(name: str, keys: Iterable[str]) -> str:
    return f"was signed with another key ({name or 'none'}) than is here ({', '.join(keys) or 'none'})"
