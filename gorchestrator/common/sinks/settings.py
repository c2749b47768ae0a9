"""The settings that say what is logged, and where to: both services have them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from gorchestrator.common import checks
from gorchestrator.common.settings import setting
from gorchestrator.common.sinks import address


@dataclass(frozen=True)
class LogSettings:
    """What the settings of a service begin with."""

    log_level: str = setting("info", "debug, info, warning or error", check=checks.one_of(checks.LEVELS), live=True)
    log_levels: Mapping[str, str] = setting(
        {},
        "loggers that have another level, with all below them: name and level of each",
        check=checks.logger_levels,
        live=True,
    )
    log_format: str = setting(
        "auto",
        "json, text, or auto: text on a terminal, else json",
        check=checks.one_of(checks.FORMATS),
        live=True,
    )
    syslog: str = setting(
        "",
        "where log lines go as syslog (RFC 5424): udp://HOST:514, tcp://HOST:601 or unix:///dev/log; "
        "behind it ?facility=daemon; empty: nowhere",
        check=address.syslog,
        live=True,
    )
    syslog_level: str = setting(
        "info",
        "least level of the lines that `syslog` gets",
        check=checks.one_of(checks.LEVELS),
        live=True,
    )
    logstash: str = setting(
        "",
        "where log lines go as JSON for logstash: tcp://HOST:5000 or tls://HOST:5000; empty: nowhere",
        check=address.logstash,
        live=True,
    )
    logstash_level: str = setting(
        "info",
        "least level of the lines that `logstash` gets",
        check=checks.one_of(checks.LEVELS),
        live=True,
    )
    logstash_ca: Path | None = setting(
        None,
        "CA file (PEM) that the server of `logstash` is checked with, in place of the usual CAs",
        live=True,
    )

    @property
    def service(self) -> str:
        """The name of this service, for those who collect logs."""
        raise NotImplementedError


LOGS = tuple(entry.name for entry in fields(LogSettings))
