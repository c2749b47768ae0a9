"""Sets up the whole log of a process, as both services do it when they start."""

import logging
from collections.abc import Iterator
from typing import TextIO

from gorchestrator.common import logs
from gorchestrator.common.sinks import handler
from gorchestrator.common.sinks.handler import Sink
from gorchestrator.common.sinks.settings import LogSettings


def set_up_logs(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send all logs of this process where the settings say; a reload of the settings calls it again with the new ones.

    Then lines that are queued stay so, also for a receiver that has got another address. One that is not wanted any
    more gets what was queued for it, for at most a second in the background. ``stream``: in place of standard output.
    """
    lowest = lowest_level(settings)
    logs.configure(settings.log_level, settings.log_format, stream, levels=settings.log_levels, lowest=lowest)
    handler.use((sink, _number(level)) for sink, level in _sinks(settings))


def lowest_level(settings: LogSettings) -> str:
    """Return the level from which on somebody wants lines."""
    wanted = [settings.log_level, *(level for _, level in _sinks(settings))]
    return min(wanted, key=_number)


def _sinks(settings: LogSettings) -> Iterator[tuple[Sink, str]]:
    if settings.syslog:
        yield Sink("syslog", settings.syslog, settings.service), settings.syslog_level
    if settings.logstash:
        yield Sink("logstash", settings.logstash, settings.service, settings.logstash_ca), settings.logstash_level


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
