"""Looks at a set-up as a whole, with the settings and the user of a service, and says what is wrong and what to do.

Each module is a group of checks that only read. ``gorch doctor`` prints what they find; it is a package of its own and
not a part of the command, because it needs the parts of the service: its certificates, its client, its store.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gorchestrator import __version__
from gorchestrator.client.api import Certificates
from gorchestrator.config import Config
from gorchestrator.doctor import audit, database, executors, folders, keys, limits, receivers
from gorchestrator.doctor.finding import Finding, Findings, Level
from gorchestrator.remote import Refused, Remote, RemoteError
from gorchestrator.store.workers import living

__all__ = ["Finding", "Level", "orchestrator", "settings", "this_executor"]

_PATIENCE = 5.0  # seconds for an answer of the service on this machine


def settings(faults: tuple[str, ...]) -> Iterator[Finding]:
    """Tell what is wrong with the settings; without them nothing else can be looked at."""
    for fault in faults:
        yield Findings("settings", "settings").fault(fault, "docs/configuration.rst has all settings")


def orchestrator(config: Config, token: str | None = None) -> Iterator[Finding]:
    """Check the orchestrator of these settings, whether it runs or not, and all its executors.

    ``token``: to show it, if it wants one.
    """
    remedy = f"make certificates: gorch certs {config.certs}"
    yield from keys.check(keys.Pair(config.tls_cert, config.tls_key, server=False), config.tls_ca, remedy)
    yield from keys.check_ca(config.tls_ca, remedy)
    if config.certfile and config.keyfile:
        own = keys.Pair(config.certfile, config.keyfile, server=True)
        yield from keys.check(own, None, "name a certificate for the names of this service")
    if config.client_ca:
        yield from keys.check_ca(config.client_ca, "name the CA of those who call in client_ca")
    yield from _allowed("permissions", config.data, folders.check(config.data))
    yield from _allowed("database", config.database, database.check(config.database))
    yield from _allowed("audit", config.audit_key, audit.check(config.database, config.audit_key))
    workers = _workers(config.database)
    yield from limits.check(workers)
    if workers:
        yield _running(config, token)
    certificates = Certificates(config.tls_ca, config.tls_cert, config.tls_key)
    yield from executors.check(config.executors, certificates)
    yield from receivers.of_logs(config.syslog, config.logstash, config.logstash_ca)
    yield from receivers.of_traces(config)


def this_executor(values: Mapping[str, Any], engines: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Check the executor of this machine by its settings, and what its drivers say of their engines."""
    remedy = f"bring certificates here: {values['certs']}"
    pair = keys.Pair(Path(values["tls_cert"]), Path(values["tls_key"]), server=True)
    yield from keys.check(pair, Path(values["tls_ca"]), remedy)
    yield from keys.check_ca(Path(values["tls_ca"]), remedy)
    data = Path(values["data"])
    yield from _allowed("permissions", data, folders.check(data))
    secrets = Path(values["secrets"])
    yield from _allowed("permissions", secrets, folders.private(secrets, "this secret"))
    yield from limits.check(_holder(data))
    yield from executors.engines(values["name"], engines)
    ca = values["logstash_ca"]
    yield from receivers.of_logs(values["syslog"], values["logstash"], Path(ca) if ca else None)


def _allowed(check: str, subject: Path, found: Iterator[Finding]) -> Iterator[Finding]:
    """Pass on what is found, up to what this user may not look at."""
    try:
        yield from found
    except OSError as error:
        says = f"cannot be looked at: {error.strerror} ({error.filename})"
        yield Findings(check, subject).fault(says, "call gorch doctor as the user of the service")


def _workers(path: Path) -> list[int]:
    with suppress(sqlite3.Error, OSError):  # what is wrong with the file is told by its own checks
        return living(path)
    return []


def _holder(data: Path) -> list[int]:
    """Return the pid of the executor that works in its directory, or did last."""
    with suppress(OSError, ValueError):
        return [int((data / "lock").read_text())]
    return []


def _running(config: Config, token: str | None) -> Finding:
    """Ask the service that runs for its version: after an upgrade an old one may still be there."""
    told = Findings("versions", "orchestrator")
    host = f"[{config.bind.strip('[]')}]" if ":" in config.bind else config.bind
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104  (looked up, not bound to)
    url = f"{'https' if config.certfile else 'http'}://{host}:{config.port}"
    remote = Remote(url, _PATIENCE, token=token)
    try:
        found = remote.ping().get("version")
    except Refused as error:
        return told.warning(f"runs, but does not tell its version: {error}", "name a token's file in GORCH_TOKEN_FILE")
    except RemoteError as error:
        return told.warning(
            f"runs, but not where the settings say, or it does not answer: {error}", "gorch ping --url URL"
        )
    finally:
        remote.close()
    if found == __version__:
        return told.ok(f"runs, in version {found}")
    return told.warning(f"runs in version {found}, and {__version__} is installed", "restart the service")
