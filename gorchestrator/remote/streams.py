"""Server-sent events as an orchestrator sends them: read, and taken up again where they broke off."""

import json
from collections.abc import Iterable, Iterator, Mapping

from gorchestrator.remote.connection import Connection, Json, Refused, RemoteError, Unreachable
from gorchestrator.remote.patience import Patience

SILENCE = 45.0  # seconds without anything, where a beat comes every 15 s, after which a connection counts as dead
_BREAK = b"\n\n"


class Reset(RemoteError):
    """The events behind the wanted one are not kept: look at the tasks anew, then go on behind ``after``."""

    def __init__(self, after: int) -> None:
        self.after = after
        super().__init__("events are missing: those behind the wanted one are not kept; begin again without it")


def events(
    connection: Connection, path: str, after: int | None, params: Mapping[str, str], patience: float
) -> Iterator[Json]:
    """Yield the events behind number ``after``; without it from where the service begins. Ends where the stream does.

    ``patience``: seconds for which a service is looked for that is lost or about to stop. Raises Unreachable or Refused
    when they are over, and Reset.
    """
    left = Patience(patience)
    while True:
        try:
            for frame in _once(connection, path, after, params, left):
                if frame.get("event") == "reset":
                    raise Reset(int(frame["id"]))
                after = int(frame["id"]) if "id" in frame else after
                if "data" in frame:
                    yield {"kind": frame.get("event", ""), **json.loads(frame["data"])}
            return
        except (Unreachable, Refused) as fault:
            left.bear(fault)


def _once(
    connection: Connection, path: str, after: int | None, params: Mapping[str, str], left: Patience
) -> Iterator[dict[str, str]]:
    """Yield the fields of each event of one connection; ends in Unreachable unless the stream is told to be over."""
    wanted = dict(params) | ({} if after is None else {"after": str(after)})
    with connection.stream(path, wanted, SILENCE) as pieces:
        if pieces is None:  # nothing can follow
            return
        yield from _parsed(_heard(pieces, left))
    raise Unreachable(connection.url, "the connection was closed")


def _heard(pieces: Iterable[bytes], left: Patience) -> Iterator[bytes]:
    for piece in pieces:
        left.answered()
        yield piece


def _parsed(pieces: Iterable[bytes]) -> Iterator[dict[str, str]]:
    rest = b""
    for piece in pieces:
        *frames, rest = (rest + piece).split(_BREAK)
        for frame in frames:
            lines = frame.decode().split("\n")  # nowhere else: a text may have what is an end for Python
            yield dict(line.split(": ", 1) for line in lines if ": " in line[1:])
