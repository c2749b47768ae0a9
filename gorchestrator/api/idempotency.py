"""``Idempotency-Key``: a request that its sender may repeat when he does not know whether it was taken."""

import hashlib
import re

import gevent
from flask import Request as FlaskRequest

from gorchestrator.api.context import principal
from gorchestrator.common.http.body import INLINE
from gorchestrator.common.http.problems import BadQuery
from gorchestrator.domain.records import Request

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def request_of(request: FlaskRequest, body: bytes) -> Request | None:
    """Return the key of a request and the digest of what it asks for; None without a key. Raises BadQuery."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise BadQuery("The header Idempotency-Key must be 1 to 200 printable ASCII characters without spaces.")
    who = principal()
    key = key if who.key is None else f"{who.key}\n{key}"  # each has keys of their own
    asked = f"{request.method} {request.path}\0".encode() + body
    if len(asked) <= INLINE:
        return Request(key, _digest(asked))
    return Request(key, gevent.get_hub().threadpool.apply(_digest, (asked,)))


def _digest(asked: bytes) -> str:
    return hashlib.sha256(asked).hexdigest()
