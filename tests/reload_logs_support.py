"""What shows that a running service has taken each setting of its log: the same for both services.

Each is shown by two requests: after the change, and when it is taken back. Lines of one process stay in their order, so
what is not there when the second one is told was not wanted.
"""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from reload_support import LOUD, Reloaded
from sinks_support import having, receiver
from support import wait_until

_numbers = count()
Ask = Callable[[str], None]  # a request for a path that nobody has


def _ask(ask: Ask) -> str:
    path = f"/none-{next(_numbers)}"
    ask(path)
    return path


def _on_stdout(service: Reloaded, path: str) -> bool:
    return bool(having(service.events("request"), path=path))


def _hushed(service: Reloaded, ask: Ask, **settings: Any) -> None:
    """Show that standard output has no request with these settings, and has them again without."""
    service.change(**settings)
    unwanted = _ask(ask)
    service.change()
    wanted = _ask(ask)
    wait_until(lambda: _on_stdout(service, wanted), what="a request on stdout")
    assert not _on_stdout(service, unwanted)


def log_level(service: Reloaded, ask: Ask, certs: Path) -> None:
    _hushed(service, ask, log_level="warning")


def log_levels(service: Reloaded, ask: Ask, certs: Path) -> None:
    _hushed(service, ask, log_levels={**LOUD["log_levels"], "gorchestrator.common.http.access_log": "warning"})


def log_format(service: Reloaded, ask: Ask, certs: Path) -> None:
    service.change(log_format="text")
    path = _ask(ask)
    wait_until(lambda: f"path={path}" in service.server.log, what="a request as text")
    service.change()
    wanted = _ask(ask)
    wait_until(lambda: _on_stdout(service, wanted), what="a request as JSON")


def syslog(service: Reloaded, ask: Ask, certs: Path) -> None:
    with receiver(udp=True) as found:
        service.change(syslog=f"udp://127.0.0.1:{found.port}")
        found.wait_for(found.messages, event="request", path=_ask(ask))
        service.change()


def syslog_level(service: Reloaded, ask: Ask, certs: Path) -> None:
    with receiver() as found:
        address = f"tcp://127.0.0.1:{found.port}"
        service.change(syslog=address, syslog_level="error")
        unwanted = _ask(ask)
        service.change(syslog=address)
        found.wait_for(found.messages, event="request", path=_ask(ask))
        assert not having(found.messages(), path=unwanted)
        service.change()


def logstash(service: Reloaded, ask: Ask, certs: Path) -> None:
    with receiver() as found:
        service.change(logstash=f"tcp://127.0.0.1:{found.port}")
        found.wait_for(found.lines, event="request", path=_ask(ask))
        service.change()


def logstash_level(service: Reloaded, ask: Ask, certs: Path) -> None:
    with receiver() as found:
        address = f"tcp://127.0.0.1:{found.port}"
        service.change(logstash=address, logstash_level="error")
        unwanted = _ask(ask)
        service.change(logstash=address)
        found.wait_for(found.lines, event="request", path=_ask(ask))
        assert not having(found.lines(), path=unwanted)
        service.change()


def logstash_ca(service: Reloaded, ask: Ask, certs: Path) -> None:
    with receiver(tls=certs) as found:
        address = f"tls://localhost:{found.port}"
        before = len(service.events("log_sink_unreachable"))
        service.change(logstash=address)
        ask("/none")
        wait_until(lambda: len(service.events("log_sink_unreachable")) > before, what="a server that nobody trusts")
        service.change(logstash=address, logstash_ca=str(certs / "ca.pem"))
        found.wait_for(found.lines, event="request", path=_ask(ask))
        service.change()


TAKEN = {
    each.__name__: each
    for each in (log_level, log_levels, log_format, syslog, syslog_level, logstash, logstash_level, logstash_ca)
}
