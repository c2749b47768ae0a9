"""How a line of the log looks to syslog and to logstash: JSON as on standard output, and what each wants beside it."""

import logging
import os
import socket
from collections.abc import Callable
from typing import Any

from gorchestrator.common.logs import PLAIN_EVENT, JsonLines
from gorchestrator.common.timestamps import to_wire

Encode = Callable[[logging.LogRecord], bytes]
Frame = Callable[[bytes], bytes]  # makes a message a part of a stream

LONGEST = 8 * 1024  # characters of one field; a receiver cuts long lines where it likes, which leaves no JSON
_SEVERITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7
_NAME_LENGTH, _EVENT_LENGTH, _HOST_LENGTH = 48, 32, 255  # of the header's fields, as RFC 5424 says
_NIL = "-"


class _Bounded(JsonLines):
    """JSON in ASCII, whose fields have a bounded length."""

    def __init__(self) -> None:
        super().__init__("%(message)s", json_ensure_ascii=True)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Cut long texts in their middle: a traceback says most at its end."""
        return {name: _cut(value) if isinstance(value, str) else value for name, value in log_data.items()}


class SyslogLines:
    """Messages of RFC 5424, with the JSON line as their text and the event as MSGID.

    In ASCII, so that no byte order mark has to stand before the JSON.
    """

    def __init__(self, service: str, facility: int) -> None:
        self._lines = _Bounded()
        self._facility = facility
        self._name = _word(service, _NAME_LENGTH)
        self._host = _word(socket.gethostname(), _HOST_LENGTH)

    def __call__(self, record: logging.LogRecord) -> bytes:
        """Return the message of a record."""
        priority = self._facility * 8 + severity(record.levelno)
        event = _word(str(getattr(record, "event", PLAIN_EVENT)), _EVENT_LENGTH)
        head = f"<{priority}>1 {to_wire(record.created)} {self._host} {self._name} {os.getpid()} {event} {_NIL} "
        return (head + self._lines.format(record)).encode("ascii")


class LogstashLines(_Bounded):
    """Events of logstash: the JSON line with ``@timestamp`` and ``@version``, and which process says it."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service
        self._host = socket.gethostname()

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Put what logstash wants first."""
        data = super().process_log_record(log_data)
        first = {"@timestamp": data.pop("time"), "@version": "1"}
        return first | {"host": self._host, "service": self._service, "pid": os.getpid()} | data

    def __call__(self, record: logging.LogRecord) -> bytes:
        """Return the event of a record."""
        return self.format(record).encode("ascii")


def octet_counted(message: bytes) -> bytes:
    """Return a message of syslog in a stream, as RFC 6587 says."""
    return b"%d %b" % (len(message), message)


def on_a_line(message: bytes) -> bytes:
    """Return a message that has no line end as a line."""
    return message + b"\n"


def severity(level: int) -> int:
    """Return syslog's number for a level."""
    return next((number for lowest, number in _SEVERITIES if level >= lowest), _DEBUG)


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]} [… {len(text) - 2 * half} characters left out …] {text[-half:]}"


def _word(text: str, length: int) -> str:
    """Return a text as a field of the header: printable ASCII without blanks."""
    return "".join(each if "!" <= each <= "~" else "_" for each in text)[:length] or _NIL
