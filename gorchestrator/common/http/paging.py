"""Lists that come in pages: cursors that say nothing to who carries them, and the link to the next page (RFC 8288)."""

import base64
from urllib.parse import urlencode

from flask import Request


def cursor(place: str) -> str:
    """Return a cursor for a place in a list."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place(cursor: str) -> str:
    """Return the place that a cursor is for. Raises ValueError if it is none that was made here."""
    return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()


def next_link(request: Request, cursor: str | None) -> dict[str, str]:
    """Return the header that tells where the next page is; None: this is the last one."""
    if cursor is None:
        return {}
    query = [(key, value) for key, value in request.args.items(multi=True) if key != "cursor"]
    return {"Link": f'<{request.path}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'}
