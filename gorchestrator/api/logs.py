"""The route of logs: a piece, the last lines, a range, or all that comes. Its docstring is the route's docs."""

import re
from collections.abc import Iterator

from flask import Response, request

from gorchestrator.api.context import blueprint, principal, service
from gorchestrator.api.guard import recheck
from gorchestrator.api.streaming import streamed
from gorchestrator.common.http.parameters import applied, flag, number, wait_of
from gorchestrator.common.http.problems import BadQuery
from gorchestrator.domain.errors import NothingThere
from gorchestrator.service.logs import PIECE, LogPiece

_LINES_MOST = 10_000
_WAIT_MOST = 50.0  # seconds
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?")
_BYTES = "application/octet-stream"


@blueprint.get("/tasks/<task_id>/nodes/<path:node>/log")
def log(task_id: str, node: str) -> Response:
    """Read what a node has printed.

    ---
    get:
      tags: [tasks]
      summary: What a node has printed, as raw bytes, at most 1 MiB an answer
      description: >-
        Of a long log the middle is left out. In an answer that goes over it a line stands in its place,
        `[... N bytes left out from byte OFFSET on ...]`, and offsets go on behind it as if nothing was missing.
      parameters:
        - TaskId
        - NodeName
        - in: query
          name: offset
          description: the byte to begin at, of all that the attempt has printed
          schema: {type: integer, minimum: 0, default: 0}
        - in: query
          name: limit
          description: how many bytes at the most
          schema: {type: integer, minimum: 1, maximum: 1048576, default: 1048576}
        - in: query
          name: tail
          description: only the last so many lines, instead of `offset` and `limit`
          schema: {type: integer, minimum: 0, maximum: 10000}
        - in: query
          name: attempt
          description: the number of the try; the last one by default. One that never was has an empty log
          schema: {type: integer, minimum: 1}
        - in: query
          name: follow
          description: true sends what the attempt prints until it has ended, from `offset` on, or from the `tail` on
          schema: {type: boolean, default: false}
        - in: header
          name: Range
          description: "`bytes=A-` or `bytes=A-B`: the same as `offset` and `limit`"
          schema: {type: string}
        - in: header
          name: Prefer
          description: wait=N waits at most N seconds (up to 50) for something behind the offset
          schema: {type: string}
          example: wait=10
      responses:
        200:
          description: the bytes from offset on that are stored by now
          headers: &headers
            Gorch-Log-Offset: {description: the offset of the first byte, schema: {type: integer}}
            Gorch-Log-Next: {description: the offset of the next request, schema: {type: integer}}
            Gorch-Log-Complete: {description: whether nothing can follow, schema: {type: boolean}}
            Gorch-Log-Attempt: {description: the number of the try that printed it, schema: {type: integer}}
            Gorch-Log-Gap:
              description: what is left out in this answer, if anything is
              schema: {type: string}
              example: offset=5242880, length=1063256064
          content:
            application/octet-stream: &bytes {schema: {type: string, format: binary}}
            text/plain: {schema: {type: string, description: with follow}}
        206:
          description: the same, for a Range
          headers: *headers
          content: {application/octet-stream: *bytes}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        416: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        429: {$ref: "#/components/responses/Problem"}
    """
    attempt, tail = number(request, "attempt", least=1), number(request, "tail", most=_LINES_MOST)
    offset, limit = number(request, "offset") or 0, number(request, "limit", least=1, most=PIECE) or PIECE
    if flag(request, "follow"):
        return _follow(task_id, node, offset, tail, attempt)
    if tail is not None:
        return _answer(service().logs.tail(task_id, node, tail, attempt))
    if wanted := _RANGE.fullmatch(request.headers.get("Range", "")):
        return _ranged(task_id, node, attempt, int(wanted[1]), int(wanted[2]) if wanted[2] else None)
    wait = wait_of(request, _WAIT_MOST)
    found = service().logs.read(task_id, node, offset, attempt, limit=limit, wait=wait)
    recheck()
    return _answer(found, wait)


def _answer(piece: LogPiece, waited: float = 0) -> Response:
    headers = applied(waited) | {
        "Cache-Control": "no-store",
        "Gorch-Log-Offset": str(piece.offset),
        "Gorch-Log-Next": str(piece.next),
        "Gorch-Log-Complete": str(piece.complete).lower(),
        "Gorch-Log-Attempt": str(piece.attempt),
    }
    if piece.gap:
        headers["Gorch-Log-Gap"] = f"offset={piece.gap.offset}, length={piece.gap.length}"
    return Response(piece.data, 200, headers, content_type=_BYTES)


def _ranged(task_id: str, node: str, attempt: int | None, first: int, last: int | None) -> Response:
    """Answer a Range; how long the whole is, is not known while the attempt runs."""
    if last is not None and last < first:
        raise BadQuery(f"The Range ends at {last}, before it begins at {first}.")
    limit = PIECE if last is None else min(PIECE, last - first + 1)
    piece = service().logs.read(task_id, node, first, attempt, limit=limit)
    if not piece.data:
        raise NothingThere(f"The log has no byte {first}" + (" and never will." if piece.complete else " yet."))
    found = _answer(piece)
    whole = piece.next if piece.complete else "*"
    found.status_code = 206
    found.headers["Content-Range"] = f"bytes {first}-{piece.next - 1}/{whole}"
    return found


def _follow(task_id: str, node: str, offset: int, tail: int | None, attempt: int | None) -> Response:
    begin = b""
    if tail is not None:
        piece = service().logs.tail(task_id, node, tail, attempt)
        begin, offset = piece.data, piece.next
    pieces = service().logs.follow(task_id, node, offset, attempt)

    who, access = principal(), service().access

    def body() -> Iterator[bytes]:
        yield begin
        for piece in pieces:
            if not access.holds(who):
                return
            yield piece

    return streamed(body(), "text/plain; charset=utf-8", {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
