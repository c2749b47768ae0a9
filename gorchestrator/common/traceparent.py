"""Trace contexts as W3C writes them: ``VERSION-TRACE-SPAN-FLAGS`` in hexadecimal digits, as header and as variable.

In the shared leaf, since the orchestrator sends what the executor checks and hands to processes. The ids of a task's
spans follow from the names of what they stand for: so whichever process goes on with a run knows them too.
"""

import re
from hashlib import sha256

HEADER = "traceparent"
VARIABLE = "TRACEPARENT"
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_LONGEST = 256  # characters of what is looked at
_NO_VERSION, _FIRST_VERSION = "ff", "00"
_NO_TRACE, _NO_SPAN = 32 * "0", 16 * "0"


def valid(text: str | None) -> str | None:
    """Return a trace context as it is handed on, None for what is none: then it is as if nothing had come.

    One of a later version becomes one of the version that is known here.
    """
    found = _FORM.fullmatch(text.strip()) if text is not None and len(text) <= _LONGEST else None
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == _NO_VERSION or trace == _NO_TRACE or span == _NO_SPAN or (more and version == _FIRST_VERSION):
        return None
    return f"{_FIRST_VERSION}-{trace}-{span}-{flags}"


def parts(context: str) -> tuple[str, str]:
    """Return the ids of trace and span of a valid context."""
    _, trace, span, _ = context.split("-")
    return trace, span


def trace_of(task: str) -> str:
    """Return the id of a task's trace: 32 digits."""
    return sha256(task.encode()).hexdigest()[:32]


def span_of(task: str, *place: int) -> str:
    """Return the id of a span, 16 digits; ``place``: none for the task's own, the node, the node and its attempt."""
    return sha256(".".join([task, *map(str, place), "span"]).encode()).hexdigest()[:16]


def written(trace: str, span: str, *, sampled: bool = True) -> str:
    """Return the trace context of a span."""
    return f"{_FIRST_VERSION}-{trace}-{span}-{int(sampled):02x}"
