"""Answers without an end: each client may have only so many of them."""

from collections.abc import Iterator, Mapping
from functools import partial

from flask import Response

from gorchestrator.api.context import actor, client, service


def streamed(body: Iterator[bytes], content_type: str, headers: Mapping[str, str]) -> Response:
    """Return an answer that is sent as it comes, and counts until it was closed. Raises TooManyStreams."""
    who, streams = client(), service().streams
    streams.enter(who, actor())
    answer = Response(body, content_type=content_type, headers=dict(headers))
    # Not at the end of the body: one whose client has gone before may never have begun.
    answer.call_on_close(partial(streams.leave, who))
    return answer
