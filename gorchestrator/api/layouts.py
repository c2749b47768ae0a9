"""The route that tells how a task is drawn. Its docstring is the route's docs."""

import zlib

import gevent
from flask import Response, request
from marshmallow import Schema, fields

from gorchestrator.api.context import blueprint, service

_KEEP = "private, max-age=86400, immutable"  # what a task is drawn like never changes
_PACKED = "deflate"  # which is zlib, as it is stored
_ASIDE = 16 * 1024  # bytes, packed, beyond which it is unpacked in a native thread


class LayoutSchema(Schema):
    """How a graph is drawn: left to right, in pixels. Parts without edges between them stand side by side."""

    width = fields.Integer(metadata={"description": "of the whole drawing", "example": 440})
    height = fields.Integer(metadata={"example": 76})
    node_width = fields.Integer(metadata={"example": 160})
    node_height = fields.Integer(metadata={"example": 36})
    layers = fields.Integer(metadata={"description": "nodes of the longest path", "example": 2})
    nodes = fields.List(
        fields.List(fields.Integer()),
        metadata={"description": "the middle of each node by its id: `[x, y]`", "example": [[100, 38], [340, 38]]},
    )
    edges = fields.List(
        fields.List(fields.Raw()),
        metadata={
            "description": "`[from, to, [x, y, x, y, …]]`: ids, and the points from border to border",
            "example": [[0, 1, [180, 38, 260, 38]]],
        },
    )
    omitted = fields.Integer(metadata={"description": "edges left out, the longest ones, where there are too many"})


@blueprint.get("/tasks/<task_id>/layout")
def layout(task_id: str) -> Response:
    """Tell how a task is drawn.

    ---
    get:
      tags: [tasks]
      summary: Where the nodes and edges of a task are drawn; computed once
      parameters:
        - TaskId
        - in: header
          name: If-None-Match
          description: the ETag of an earlier answer, which it still is; then the answer is 304
          schema: {type: string}
      responses:
        200:
          description: places and points
          headers:
            ETag: {description: that of the drawing, schema: {type: string}}
            Cache-Control: {description: it may be kept, schema: {type: string}}
          content: {application/json: {schema: {$ref: "#/components/schemas/Layout"}}}
        304: {description: it is as it was}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    packed = service().layouts.of_task(task_id)
    # Weak: it is the same drawing, packed or not.
    headers = {"ETag": f'W/"{zlib.crc32(packed):08x}"', "Cache-Control": _KEEP, "Vary": "Accept-Encoding"}
    if request.if_none_match.contains_weak(f"{zlib.crc32(packed):08x}"):
        return Response(status=304, headers=headers)
    if request.accept_encodings[_PACKED]:
        headers["Content-Encoding"] = _PACKED
        return Response(packed, headers=headers, content_type="application/json")
    return Response(unpacked(packed), headers=headers, content_type="application/json")


def unpacked(packed: bytes) -> bytes:
    """Return the JSON of a drawing."""
    if len(packed) < _ASIDE:
        return zlib.decompress(packed)
    found: bytes = gevent.get_hub().threadpool.apply(zlib.decompress, (packed,))
    return found
