"""``Prefer: wait=N`` (RFC 7240): how long a client would like an answer to be held back."""

import re

from flask import Request

MOST = 50.0  # seconds: proxies in between commonly give up after 60
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6}(?:\.\d{1,6})?)", re.IGNORECASE)


def wait_of(request: Request) -> float:
    """Return the seconds that a request is willing to wait, 0 if it does not say so."""
    found = _WAIT.search(request.headers.get("Prefer", ""))
    return min(float(found[1]), MOST) if found else 0.0


def applied(seconds: float) -> dict[str, str]:
    """Return the header that tells what was applied."""
    return {"Preference-Applied": f"wait={seconds:g}"} if seconds else {}
