"""Logs of the services on standard output: one JSON object a line, or readable text on a terminal.

Every line has time, level, logger, event and message, and what the call put into ``extra`` (``task``, ``node``,
``attempt`` where they apply). Use: ``log.info("prose", extra={"event": "run_started", "task": id})``.
"""

import logging
import os
import sys
from typing import Any, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from gorchestrator.common.text import printable
from gorchestrator.common.timestamps import to_wire

PLAIN_EVENT = "log"  # the event of lines that do not name one, such as those of libraries
_COLOURS = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
_KNOWN = frozenset({*RESERVED_ATTRS, "taskName", "event"})


class JsonLines(JsonFormatter):
    """One JSON object a line."""

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Put the fields that every line has first, in a fixed order."""
        log_data["time"] = to_wire(record.created)
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["event"] = PLAIN_EVENT
        super().add_fields(log_data, record, message_dict)


class TextLines(logging.Formatter):
    """``12:34:56.789 INFO  event message key=value …``, in colours if wanted."""

    def __init__(self, colours: bool) -> None:
        super().__init__()
        self.colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, followed by the traceback if there is one."""
        clock = f"{self.formatTime(record, '%H:%M:%S')}.{int(record.msecs):03d}"
        extras = {key: value for key, value in vars(record).items() if key not in _KNOWN and not key.startswith("_")}
        tail = "".join(f" {key}={printable(str(value))}" for key, value in extras.items() if value is not None)
        event = getattr(record, "event", record.name)
        message = printable(record.getMessage())
        level = self._paint(f"{record.levelname:<7}", _COLOURS.get(record.levelname, "0"))
        line = f"{clock} {level} {self._paint(str(event), '36')} {message}{self._paint(tail, '2')}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours and text else text


class _Output(logging.StreamHandler[TextIO]):
    """Our handler on the root logger, so that a second call of :func:`configure` can find it."""


def configure(level: str, fmt: str, stream: TextIO | None = None) -> None:
    """Send all logs to ``stream`` (standard output). ``fmt`` is ``json``, ``text`` or ``auto``. May be called again."""
    stream = stream or sys.stdout
    terminal = stream.isatty()
    handler = _Output(stream)
    if fmt == "json" or (fmt == "auto" and not terminal):
        handler.setFormatter(JsonLines("%(message)s", json_ensure_ascii=False))
    else:
        handler.setFormatter(TextLines(colours=terminal and not os.environ.get("NO_COLOR")))
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Output)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    join("gunicorn.error")
    logging.captureWarnings(True)


def join(name: str) -> None:
    """Let a logger that brought its own handlers write to ours instead."""
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.propagate = True
