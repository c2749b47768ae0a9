"""What libraries may write into the log: no details, for they do not know what is a secret.

At the level ``debug`` they write down what they send and get: URLs with their queries, the bytes of a request that was
cut off. What we write at that level ourselves has no such thing. It stands beside ``logs`` because the check of the
settings needs it too.
"""

import logging
import re

OURS = ("gorchestrator", "executor")  # packages whose lines of the level ``debug`` are written
LEAST = "info"  # the least level of all others

_INVALID = "Invalid request from ip="
_FAILED = "Error handling request %s %s"
_QUOTED = re.compile(r":? *b?['\"].*", re.DOTALL)


def is_ours(name: str) -> bool:
    """Return whether a logger, by its name, is one of ours."""
    return name.partition(".")[0] in OURS


def veil(record: logging.LogRecord) -> bool:
    """Cut what a client has sent out of gunicorn's lines on requests; a filter of its logger, which keeps them all."""
    if record.msg == _FAILED and isinstance(record.args, tuple):
        method, target = record.args
        record.args = (method, str(target).partition("?")[0])
    elif isinstance(record.msg, str) and record.msg.startswith(_INVALID):
        record.msg = unquoted(record.msg)
    return True


def unquoted(text: str) -> str:
    """Return what gunicorn says of a request without what it quotes of it."""
    return _QUOTED.sub("", text)
