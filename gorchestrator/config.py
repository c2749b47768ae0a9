"""The orchestrator's settings: one frozen :class:`Config`, and the only reader of its environment and its file.

Environment: ``GORCH_`` and the field's name in capitals. File: TOML, named by ``GORCH_CONFIG``, keys as the fields.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gorchestrator.common import checks, endpoints, faultpoints
from gorchestrator.common.endpoints import Endpoint, Endpoints
from gorchestrator.common.http import cors, proxies
from gorchestrator.common.settings import Loaded, Rule, complete, derived, load, setting
from gorchestrator.common.sinks.settings import LogSettings

PREFIX = "GORCH_"
FILE_VARIABLE = "GORCH_CONFIG"
# Variables of others: the executor's, the command line's, those that a node gets from its executor, and the tests'.
_OF_NODES = ("GORCH_TASK_ID", "GORCH_NODE", "GORCH_ATTEMPT", "GORCH_OUTPUT")
_OF_CLIENTS = ("GORCH_URL", "GORCH_CA", "GORCH_CERT", "GORCH_KEY", "GORCH_TOKEN", "GORCH_TOKEN_FILE")
IGNORED = ("GORCH_EXECUTOR_", *_OF_CLIENTS, *_OF_NODES, faultpoints.VARIABLE)


@dataclass(frozen=True)
class Config(LogSettings):
    """What the orchestrator runs with."""

    bind: str = setting(
        "127.0.0.1",
        "address to listen on; beyond loopback only if `access` is required, or with `insecure`",
        check=checks.host,
    )
    port: int = setting(8080, "port to listen on; 0 picks a free one", check=checks.port)
    workers: int = setting(2, "worker processes that serve the API and run the graphs", check=checks.at_least(1))
    data: Path = derived(lambda _, env: checks.state_home(env), "directory of the journal")
    audit_key: Path = derived(
        lambda c, _: c.data / "audit.key", "key that signs the audit, made if it is not there; its end is kept beside"
    )
    certfile: Path | None = setting(None, "certificate (PEM) to serve the API over HTTPS; empty: plain HTTP")
    keyfile: Path | None = setting(None, "key (PEM) of `certfile`")
    insecure: bool = setting(False, "allow what is open to everybody: other addresses than loopback, plain executors")
    access: str = setting(
        "auto",
        "who may call the API: required (who shows a token), open (everybody), auto (everybody until a token is made)",
        check=checks.one_of(checks.ACCESS),
    )
    client_ca: Path | None = setting(
        None, "CA (PEM) of the certificates that callers may show in place of a token; empty: none is asked for"
    )
    client_roles: Mapping[str, str] = setting(
        {},
        "who may do what by their certificates: a name in it (common name, DNS or URI) and the role of each",
        check=checks.roles,
        live=True,
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
    cors_origins: tuple[str, ...] = setting(
        (),
        "origins of web pages that may call the API with a token, such as https://console.example; none: no other",
        check=cors.check,
        live=True,
    )
    body_limit: int = setting(
        16 * 2**20, "largest body of a request", unit="bytes", check=checks.at_least(1024), live=True
    )
    max_nodes: int = setting(20_000, "most nodes of a gorch", check=checks.at_least(1), live=True)
    max_edges: int = setting(1_000_000, "most edges of a gorch", check=checks.at_least(1), live=True)
    submit_rate: int = setting(
        0,
        "most tasks a minute of one client, by its token or address; more are refused with 429; 0: any number",
        check=checks.at_least(0),
        live=True,
    )
    streams_per_client: int = setting(
        250,
        "most events and logs that a client follows at once in one worker; more are refused with 429",
        check=checks.at_least(1),
        live=True,
    )
    open_runs: int = setting(
        1000,
        "most graphs that have not ended; more are refused with 429",
        check=checks.at_least(1),
        live=True,
    )
    executors: Endpoints = setting(
        {"executor": Endpoint("https://127.0.0.1:8443")},
        "the executors: name and URL of each, or a table of each with its URL, labels, weight and certificates",
        check=endpoints.check,
        live=True,
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
    keep_audit: float = setting(
        366 * 86_400.0,
        "how long lines of the audit are kept; 0: without limit",
        unit="seconds",
        check=checks.at_least(0),
        live=True,
    )
    log_limit: int = setting(
        10 * 2**20, "most log kept of one attempt", unit="bytes", check=checks.at_least(1024), live=True
    )
    otlp_endpoint: str = setting(
        "",
        "where traces go: the URL of a receiver of OTLP over HTTP, such as http://127.0.0.1:4318; empty: nowhere",
        check=checks.endpoint,
    )
    otlp_headers: Path | None = setting(
        None, "file of headers that `otlp_endpoint` wants, one NAME: VALUE a line, such as a token"
    )
    otlp_ca: Path | None = setting(
        None, "CA file (PEM) that the server of `otlp_endpoint` is checked with, in place of the usual CAs"
    )
    otlp_ratio: float = setting(1.0, "which part of the tasks is traced, from 0 to 1", check=checks.part)

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
    plain = [each.url for each in config.executors.values() if not each.url.startswith("https://")]
    if config.insecure or not plain:
        return None
    return f"executors: {plain[0]} is not https, so nobody proves who they are; use https:// (or insecure, for tests)"


def _certificates(config: Config) -> str | None:
    if config.client_ca and not config.certfile:
        return "client_ca: certificates are shown over HTTPS only; give certfile and keyfile too"
    if config.client_roles and not config.client_ca:
        return "client_roles: nobody is asked for a certificate; give client_ca, the CA that has issued theirs"
    return None


def _traces(config: Config) -> str | None:
    if not config.otlp_endpoint:
        return None
    with suppress(ModuleNotFoundError):
        if find_spec("opentelemetry.proto") is not None:
            return None
    return "otlp_endpoint: traces need the extra `otel`; pip install 'gorchestrator-oaas[otel]'"


RULES = (
    Rule(("certfile", "keyfile"), checks.pair("certfile", "keyfile")),
    Rule(("client_ca", "client_roles", "certfile"), _certificates),
    Rule(("bind", "insecure", "access"), lambda config: exposed(config, config.bind)),
    Rule(("executors", "insecure"), _plain_executors),
    Rule(("otlp_endpoint",), _traces),
)
