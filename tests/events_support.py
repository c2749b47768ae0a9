"""Reading server-sent events over a plain connection."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any

from api_support import Api


@dataclass(frozen=True)
class Frame:
    """One server-sent event; a comment has no fields but itself."""

    id: str | None = None
    event: str | None = None
    data: dict[str, Any] | None = None
    comment: str | None = None


@contextmanager
def streaming(
    api: Api, path: str, headers: Mapping[str, str] | None = None, over: HTTPConnection | None = None
) -> Iterator[HTTPResponse]:
    """Ask for a stream; it is given up in the end."""
    with closing(over or api.connect()) as connection:
        connection.request("GET", path, headers=dict(headers or {}))
        yield connection.getresponse()


def frames(answer: HTTPResponse) -> Iterator[Frame]:
    """Yield the events and comments of a stream as they come, to its end."""
    fields: dict[str, str] = {}
    while line := answer.readline():
        text = line.decode().rstrip("\n")
        name, _, value = text.partition(": ")
        if text:
            fields[name] = value
        elif set(fields) == {""}:
            yield Frame(comment=fields[""])
            fields = {}
        else:
            if "data" in fields:
                yield Frame(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}


def until(answer: HTTPResponse, kind: str) -> list[Frame]:
    """Return the events of a stream up to the first of this kind."""
    found = []
    for frame in frames(answer):
        found.append(frame)
        if frame.event == kind:
            return found
    raise AssertionError(f"the stream has ended without {kind}: {found}")
