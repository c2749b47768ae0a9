"""Logs of the services on standard output: one JSON object a line, or readable text on a terminal.

Every line has time, level, logger, event and message, and what the call put into ``extra`` (``task``, ``node``,
``attempt`` where they apply). Use: ``log.info("prose", extra={"event": "run_started", "task": id})``.
"""

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from gorchestrator.common import discretion
from gorchestrator.common.text import printable
from gorchestrator.common.timestamps import to_wire

PLAIN_EVENT = "log"  # the event of lines that do not name one, such as those of libraries
_COLOURS = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}
_KNOWN = frozenset({*RESERVED_ATTRS, "taskName", "event"})
_GUNICORN = "gunicorn.error"
_levels: dict[str, str] = {}  # of loggers, as configured last


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
    """Our handler on the root logger, so that a second call of :func:`configure` can find it.

    ``lowest``: the least level that anybody wanted when it was made.
    """

    def __init__(self, stream: TextIO, lowest: str) -> None:
        super().__init__(stream)
        self.lowest = lowest


class _Threshold(logging.Filter):
    """Leaves out what only others want: what is below ``level``, unless its logger has a level of its own."""

    def __init__(self, level: int, own: Iterable[str]) -> None:
        super().__init__()
        self._level = level
        self._own = tuple(own)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written."""
        return record.levelno >= self._level or any(_is_below(record.name, name) for name in self._own)


def configure(
    level: str,
    fmt: str,
    stream: TextIO | None = None,
    *,
    levels: Mapping[str, str] | None = None,
    lowest: str | None = None,
) -> None:
    """Send all logs to ``stream`` (standard output). ``fmt`` is ``json``, ``text`` or ``auto``. May be called again.

    ``levels``: loggers that have another level, with all below them, whoever listens. ``lowest``: the level from which
    on other handlers of the root logger want lines. Lines of libraries below ``info`` are written nowhere.
    """
    stream = stream or sys.stdout
    terminal = stream.isatty()
    handler = _Output(stream, lowest or level)
    if fmt == "json" or (fmt == "auto" and not terminal):
        handler.setFormatter(JsonLines("%(message)s", json_ensure_ascii=False))
    else:
        handler.setFormatter(TextLines(colours=terminal and not os.environ.get("NO_COLOR")))
    if lowest is not None and lowest != level:
        handler.addFilter(_Threshold(_number(level), levels or ()))
    root = logging.getLogger()
    for old in _outputs():
        root.removeHandler(old)
        if old.lowest != handler.lowest:
            logging.getLogger(_GUNICORN).setLevel(logging.NOTSET)  # it had the level of before
    root.addHandler(handler)
    _set_levels(handler.lowest, levels or {})
    join(_GUNICORN)
    logging.captureWarnings(True)


def join(name: str) -> None:
    """Let a logger that brought its own handlers write to ours instead, at the level that was configured for it."""
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.propagate = True
    logger.addFilter(discretion.veil)
    if logger.level:
        logger.setLevel(max(logger.level, _number(discretion.LEAST)))
    named = [each for each in _levels if _is_below(name, each)]
    if named:
        logger.setLevel(_number(_levels[max(named, key=len)]))


def write(record: logging.LogRecord) -> None:
    """Write a record to standard output, from whichever thread.

    Unlike a logger, this takes no lock: a native thread must not wait for one that a greenlet holds.
    """
    for output in _outputs():
        if output.filter(record):
            output.stream.write(output.format(record) + output.terminator)
            output.stream.flush()


def _outputs() -> list[_Output]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, _Output)]


def _set_levels(lowest: str, levels: Mapping[str, str]) -> None:
    least = max(_number(lowest), _number(discretion.LEAST))
    logging.getLogger().setLevel(least)
    for name in _levels.keys() - levels.keys():
        logging.getLogger(name).setLevel(logging.NOTSET)
    for name in discretion.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET if _number(lowest) == least else _number(lowest))
    _levels.clear()
    _levels.update(levels)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(_number(level))


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def _is_below(name: str, other: str) -> bool:
    return name == other or name.startswith(f"{other}.")
