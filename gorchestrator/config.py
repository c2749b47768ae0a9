"""The orchestrator's settings: one frozen :class:`Config`, and the only reader of its environment and its file.

Environment: ``GORCH_`` and the field's name in capitals. File: TOML, named by ``GORCH_CONFIG``, keys as the fields.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gorchestrator.common import checks, faultpoints
from gorchestrator.common.http import proxies
from gorchestrator.common.settings import Loaded, Rule, complete, derived, load, setting
from gorchestrator.common.sinks import address

PREFIX = "GORCH_"
FILE_VARIABLE = "GORCH_CONFIG"
# Variables of others: the executor's, the command line's, those that a node gets from its executor, and the tests'.
_OF_NODES = ("GORCH_TASK_ID", "GORCH_NODE", "GORCH_ATTEMPT", "GORCH_OUTPUT")
_OF_CLIENTS = ("GORCH_URL", "GORCH_CA", "GORCH_TOKEN", "GORCH_TOKEN_FILE")
IGNORED = ("GORCH_EXECUTOR_", *_OF_CLIENTS, *_OF_NODES, faultpoints.VARIABLE)


def _executors(named: Mapping[str, str]) -> str | None:
    for name, url in named.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
            return f"{name!r} is not a name of an executor; use letters, digits, dot, dash and underscore"
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if "@" in url:  # what stands before it may be a password, and is not repeated
            return f"the URL of {name} must not hold a name and a password; write one such as https://127.0.0.1:8443"
        if not usable or parts.path.strip("/") or parts.query or parts.fragment:
            return f"{url!r} is not the URL of an executor; write one such as https://127.0.0.1:8443"
    return None if named else "no executor; name at least one: name=https://host:8443"


@dataclass(frozen=True)
class Config:
    """What the orchestrator runs with."""

    bind: str = setting(
        "127.0.0.1",
        "address to listen on; beyond loopback only if `access` is required, or with `insecure`",
        check=checks.host,
    )
    port: int = setting(8080, "port to listen on; 0 picks a free one", check=checks.port)
    workers: int = setting(2, "worker processes that serve the API and run the graphs", check=checks.at_least(1))
    data: Path = derived(lambda _, env: checks.state_home(env), "directory of the journal")
    certfile: Path | None = setting(None, "certificate (PEM) to serve the API over HTTPS; empty: plain HTTP")
    keyfile: Path | None = setting(None, "key (PEM) of `certfile`")
    insecure: bool = setting(False, "allow what is open to everybody: other addresses than loopback, plain executors")
    access: str = setting(
        "auto",
        "who may call the API: required (who shows a token), open (everybody), auto (everybody until a token is made)",
        check=checks.one_of(checks.ACCESS),
    )
    allowed_hosts: tuple[str, ...] = setting(
        ("localhost", "127.0.0.1", "[::1]"),
        "names that a Host header may have, beside `bind`",
        check=checks.host_names,
        live=True,
    )
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "proxies whose X-Forwarded-For is believed: addresses, networks, or `unix` for any at a Unix socket",
        check=proxies.check,
        live=True,
    )
    body_limit: int = setting(
        16 * 2**20, "largest body of a request", unit="bytes", check=checks.at_least(1024), live=True
    )
    max_nodes: int = setting(20_000, "most nodes of a gorch", check=checks.at_least(1), live=True)
    open_runs: int = setting(
        1000,
        "most graphs that have not ended; more are refused with 503",
        check=checks.at_least(1),
        live=True,
    )
    executors: Mapping[str, str] = setting(
        {"executor": "https://127.0.0.1:8443"}, "the executors: name and URL of each", check=_executors
    )
    certs: Path = derived(lambda _, env: checks.state_home(env) / "certs", "directory that `gorch certs` filled")
    tls_ca: Path = derived(lambda c, _: c.certs / "ca.pem", "CA of the executors' certificates")
    tls_cert: Path = derived(lambda c, _: c.certs / "orchestrator.pem", "certificate shown to the executors")
    tls_key: Path = derived(lambda c, _: c.certs / "orchestrator.key", "key of `tls_cert`")
    lost_after: float = setting(
        900.0,
        "an attempt is lost after this time without contact to its executor; 0: never",
        unit="seconds",
        check=checks.at_least(0),
        live=True,
    )
    lease: float = setting(
        10.0,
        "a run is taken over when its process gave no sign for this long",
        unit="seconds",
        check=checks.at_least(1),
    )
    keep_age: float = setting(
        30 * 86_400.0,
        "how long tasks are kept that have ended; 0: without limit",
        unit="seconds",
        check=checks.at_least(0),
        live=True,
    )
    keep_count: int = setting(
        100_000,
        "how many tasks are kept that have ended; 0: without limit",
        check=checks.at_least(0),
        live=True,
    )
    keep_bytes: int = setting(
        10 * 2**30,
        "size of the database above which the tasks are removed that ended first; 0: without limit",
        unit="bytes",
        check=checks.at_least(0),
        live=True,
    )
    log_limit: int = setting(
        10 * 2**20, "most log kept of one attempt", unit="bytes", check=checks.at_least(1024), live=True
    )
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

    def __post_init__(self) -> None:
        complete(self, os.environ)

    @property
    def service(self) -> str:
        """The name of this service, for those who collect logs."""
        return "gorchestrator"

    @property
    def database(self) -> Path:
        """The file of the journal."""
        return self.data / "gorchestrator.db"

    @property
    def metrics(self) -> Path:
        """The directory in which the workers count."""
        return self.data / "metrics"

    @classmethod
    def load(
        cls, environ: Mapping[str, str] | None = None, *, text: str | None = None, before: "Config | None" = None
    ) -> Loaded["Config"]:
        """Read file and environment; raises SettingsError with every fault.

        ``text``: what the file is taken to say. ``before``: settings in force, of which those stay that are not live.
        """
        environ = os.environ if environ is None else environ
        return load(
            cls,
            PREFIX,
            environ,
            file_variable=FILE_VARIABLE,
            ignored=IGNORED,
            rules=RULES,
            text=text,
            before=before,
        )


def exposed(config: Config, host: str) -> str | None:
    """Return what is wrong if the service listens on ``host``, None if it may."""
    if config.insecure or config.access == checks.REQUIRED or checks.is_loopback(host):
        return None
    return (
        f"bind: {host!r} is open to other machines, and nobody has to say who they are; bind to 127.0.0.1, or have "
        'everybody show a token: access = "required" (--access required, GORCH_ACCESS=required; gorch token create), '
        "or say that you want it open: insecure (--insecure, GORCH_INSECURE=true)"
    )


def _plain_executors(config: Config) -> str | None:
    plain = [url for url in config.executors.values() if not url.startswith("https://")]
    if config.insecure or not plain:
        return None
    return f"executors: {plain[0]} is not https, so nobody proves who they are; use https:// (or insecure, for tests)"


RULES = (
    Rule(("certfile", "keyfile"), checks.pair("certfile", "keyfile")),
    Rule(("bind", "insecure", "access"), lambda config: exposed(config, config.bind)),
    Rule(("executors", "insecure"), _plain_executors),
)
