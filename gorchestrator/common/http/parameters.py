"""What a request says beside its body: numbers and times of its query, and ``Prefer: wait=N`` (RFC 7240)."""

import re
from datetime import UTC, datetime

from flask import Request

from gorchestrator.common.http.problems import BadQuery

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6}(?:\.\d{1,6})?)", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]{1,18}")
_SECONDS = re.compile(r"\d{1,12}(?:\.\d{1,6})?")


def wait_of(request: Request, most: float) -> float:
    """Return the seconds that a client would like an answer to be held back, at most ``most``; 0 without."""
    return preferred_wait(request, most) or 0.0


def preferred_wait(request: Request, most: float) -> float | None:
    """Return the same, but None without: for answers that are held back unless a client prefers otherwise."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(float(found[1]), most) if found else None


def applied(waited: float) -> dict[str, str]:
    """Return the header that tells for how long the answer was held back at the most."""
    return {"Preference-Applied": f"wait={waited:g}"} if waited else {}


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    """Return a yes or no of the query."""
    text = request.args.get(name, str(default).lower())
    if text not in {"true", "false"}:
        raise BadQuery(f"The parameter {name} must be true or false, not {text[:100]!r}.")
    return text == "true"


def number(request: Request, name: str, *, least: int = 0, most: int | None = None) -> int | None:
    """Return a whole number of the query; None if it is not given."""
    text = request.args.get(name)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) and least <= int(text) <= (most or int(text)):
        return int(text)
    limits = f"from {least}" + (f" to {most}" if most else "")
    raise BadQuery(f"The parameter {name} must be a whole number {limits}, not {text[:100]!r}.")


def time_of(request: Request, name: str) -> float | None:
    """Return a time of the query in seconds since the epoch; None if it is not given."""
    text = request.args.get(name)
    if text is None:
        return None
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped + of a query is a space
    except ValueError:
        raise BadQuery(
            f"The parameter {name} must be a time such as 2026-11-01T12:00:00Z, or seconds since the epoch, "
            f"not {text[:50]!r}."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
