"""Who may do what: roles, tokens, and whoever makes a request. Values that travel from the store to the guard."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

_TOKEN = re.compile(r"gorch_(?P<id>[0-9a-f]{8})_(?P<secret>[A-Za-z0-9_-]{43})")
Label = tuple[str, str]


class Role(IntEnum):
    """What somebody may do; each role may do what those below it may."""

    VIEWER = 1  # read everything
    OPERATOR = 2  # submit, cancel, rerun, resolve
    ADMIN = 3  # see what administers the service, such as who did what

    @property
    def label(self) -> str:
        """The name for people, settings and the wire."""
        return self.name.lower()

    @classmethod
    def named(cls, name: str) -> "Role":
        """Return a role by its label. Raises KeyError."""
        return cls[name.upper()]


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever makes a request. ``label``: the only tasks that are there for them are those that carry it."""

    name: str
    role: Role
    label: Label | None = None
    way: Literal["open", "token", "certificate"] = "open"
    token: str = ""  # its id

    @property
    def key(self) -> str | None:
        """What tells them apart from all others, of whatever name; None of who has not to say who they are."""
        return None if self.way == "open" else f"{self.way}:{self.token or self.name}"

    def sees(self, labels: Mapping[str, str]) -> bool:
        """Whether a task with these labels is there for them."""
        return self.label is None or labels.get(self.label[0]) == self.label[1]


#: Everybody, where nobody has to say who they are.
ANYBODY = Principal("anonymous", Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token: never its secret, only its SHA-256. Times are seconds since the epoch."""

    id: str
    name: str
    digest: str
    role: Role
    label: Label | None
    made_at: float
    expires_at: float | None = None
    revoked_at: float | None = None

    def valid(self, now: float) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def is_made_of(self, text: str) -> bool:
        """Whether ``text`` is the token, as its owner has it; takes as long whatever it is."""
        return hmac.compare_digest(self.digest, digest(text))


def make_token() -> tuple[str, str]:
    """Return the id and the text of a new token, which has 256 random bits."""
    name = secrets.token_hex(4)
    return name, f"gorch_{name}_{secrets.token_urlsafe(32)}"


def id_of(text: str) -> str | None:
    """Return the id that a token's text begins with; None if it is no token."""
    found = _TOKEN.fullmatch(text)
    return found["id"] if found else None


def digest(text: str) -> str:
    """Return what is kept of a token's text. A random secret needs no slow hash."""
    return hashlib.sha256(text.encode()).hexdigest()
