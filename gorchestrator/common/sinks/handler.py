"""The handlers of Python's logging that hand lines to receivers, and what a process tells of them.

They are the same objects in all processes of a service: a forked process goes on with a thread, a queue and a
connection of its own, and what was queued before is its parent's.
"""

import atexit
import copy
import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from gorchestrator.common import logs
from gorchestrator.common.sinks import address
from gorchestrator.common.sinks.connections import Target, connection
from gorchestrator.common.sinks.formats import Encode, Frame, LogstashLines, SyslogLines, octet_counted, on_a_line
from gorchestrator.common.sinks.sender import Sender

AT_END = 1.0  # seconds for what is queued when a process ends

_handlers: list["SinkHandler"] = []
_leaving: list[Sender] = []  # of receivers that are not wanted any more, which get what was queued
_formatter = logging.Formatter()
_log = logging.getLogger("gorchestrator.common.sinks")
# Made here, for a record that is made in a native thread asks gevent for the name of the thread.
_NOTE = logging.LogRecord(_log.name, logging.INFO, "", 0, "", (), None)


@dataclass(frozen=True, slots=True)
class Sink:
    """A receiver, as the settings say: ``kind`` is ``syslog`` or ``logstash``, ``service`` who sends."""

    kind: str
    url: str
    service: str
    ca: Path | None = None


class SinkHandler(logging.Handler):
    """Hands records to one receiver."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self.sink = sink
        self.sender = self._new_sender()

    def _new_sender(self) -> Sender:
        return Sender(self._target(), partial(_tell, self))

    def _target(self) -> Target:
        ports = address.SYSLOG if self.sink.kind == "syslog" else address.LOGSTASH
        place = address.parse(self.sink.url, ports)
        encode: Encode
        frame: Frame
        if self.sink.kind == "syslog":
            encode, frame = SyslogLines(self.sink.service, place.facility), octet_counted
        else:
            encode, frame = LogstashLines(self.sink.service), on_a_line
        return Target(f"{self.sink.kind} at {place}", partial(connection, place, frame, self.sink.ca), encode)

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record."""
        try:
            self.sender.put(_settled(record))
        except Exception:
            self.handleError(record)

    def follow(self, sink: Sink) -> None:
        """Hand everything to another receiver of the same kind, what is queued too."""
        if sink != self.sink:
            self.sink = sink
            self.sender.redirect(self._target())

    def begin_anew(self) -> None:
        """Begin again in a forked process."""
        self.sender.disown()
        self.sender = self._new_sender()


def _settled(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy that stays as it is, whatever becomes of what the record was made of."""
    settled = copy.copy(record)
    settled.msg, settled.args = record.getMessage(), None
    if record.exc_info:
        settled.exc_text = record.exc_text or _formatter.formatException(record.exc_info)
        settled.exc_info = None
    return settled


def _tell(about: SinkHandler, level: int, message: str, extra: dict[str, Any]) -> logging.LogRecord:
    """Say something of a receiver to all others, from whichever thread; returns what is said."""
    note = copy.copy(_NOTE)
    now = time.time()
    vars(note).update(extra, levelno=level, levelname=logging.getLevelName(level), msg=message, created=now)
    note.msecs, note.process = now % 1 * 1000, os.getpid()
    if level >= _log.getEffectiveLevel():
        logs.write(note)
    for other in _handlers:
        if other is not about and level >= other.level:
            other.sender.put(note)
    return note


def use(wanted: Iterable[tuple[Sink, int]]) -> None:
    """Have exactly these receivers, at most one of a kind, each from its level on; what is queued for a kind stays."""
    root = logging.getLogger()
    before = {handler.sink.kind: handler for handler in _handlers}
    _handlers.clear()
    for sink, level in wanted:
        handler = before.pop(sink.kind, None) or SinkHandler(sink)
        handler.follow(sink)
        handler.setLevel(level)
        _handlers.append(handler)
        root.addHandler(handler)
    _leaving[:] = [sender for sender in _leaving if not sender.ended]
    for gone in before.values():
        root.removeHandler(gone)
        gone.sender.finish(time.monotonic() + AT_END, alone=True)
        _leaving.append(gone.sender)
    if _handlers:
        _prepare_process()


def end() -> None:
    """Send what is queued, for at most a second in all."""
    limit = time.monotonic() + AT_END
    for handler in _handlers:
        handler.sender.finish(limit)
    for handler in _handlers:
        handler.sender.wait()


@cache
def _prepare_process() -> None:
    atexit.register(end)
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)


def _senders() -> list[Sender]:
    return [*(handler.sender for handler in _handlers), *_leaving]


def _before_fork() -> None:
    for sender in _senders():
        sender.halt()


def _after_fork() -> None:
    for sender in _senders():
        sender.go_on()


def _in_child() -> None:
    for sender in _leaving:
        sender.disown()
    _leaving.clear()
    for handler in _handlers:
        handler.begin_anew()
