"""Those that lines of the log and traces are sent to: whether they can be reached, as the services reach them."""

import gzip
from collections.abc import Iterator
from pathlib import Path

from gorchestrator.common.sinks import address
from gorchestrator.common.sinks.connections import connection
from gorchestrator.common.sinks.formats import on_a_line
from gorchestrator.common.tls import tls_reason
from gorchestrator.config import Config
from gorchestrator.doctor.finding import Finding, Findings

_CHECK = "receivers"


def of_logs(syslog: str, logstash: str, logstash_ca: Path | None) -> Iterator[Finding]:
    """Connect to where the settings of these names send lines; nothing is sent."""
    for name, place, ports, ca in (
        ("syslog", syslog, address.SYSLOG, None),
        ("logstash", logstash, address.LOGSTASH, logstash_ca),
    ):
        if place:
            yield _connect(name, address.parse(place, ports), ca)


def _connect(name: str, place: address.Address, ca: Path | None) -> Finding:
    told = Findings(_CHECK, f"{name} at {place}")
    found = connection(place, on_a_line, ca)
    try:
        found.open()
    except OSError as error:
        advice = f"start it, or look at the setting {name}{' and at logstash_ca' if place.scheme == 'tls' else ''}"
        return told.fault(f"cannot be reached: {tls_reason(error)}; lines for it are dropped", advice)
    finally:
        found.close()
    if place.scheme == "udp":
        return told.ok("its name is known; whether anybody listens there, UDP does not tell")
    return told.ok("takes connections")


def of_traces(config: Config) -> Iterator[Finding]:
    """Send a request without spans to where traces go."""
    if not config.otlp_endpoint:
        return
    from gorchestrator.tracing import receiver  # noqa: PLC0415  (an extra)

    found = receiver.Receiver(config.otlp_endpoint, config.otlp_headers, config.otlp_ca)
    told = Findings(_CHECK, f"traces at {found.url}")
    try:
        found.send(gzip.compress(b""))
    except receiver.Away as error:
        yield told.fault(f"takes nothing now: {error}", "start it, or look at otlp_endpoint, otlp_headers and otlp_ca")
    except receiver.Refused as error:
        yield told.fault(f"does not take traces: {error}", "look at otlp_endpoint and otlp_headers")
    else:
        yield told.ok("takes traces")
    finally:
        found.close()
