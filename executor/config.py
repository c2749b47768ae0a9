"""The executor's settings: one frozen :class:`Config`, and the only reader of its environment and its file.

Environment: ``GORCH_EXECUTOR_`` and the field's name in capitals. File: TOML, named by ``GORCH_EXECUTOR_CONFIG``, keys
as the fields.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from executor import addresses
from gorchestrator.common import checks
from gorchestrator.common.settings import Loaded, Rule, complete, derived, load, setting
from gorchestrator.common.sinks.settings import LogSettings

PREFIX = "GORCH_EXECUTOR_"
FILE_VARIABLE = "GORCH_EXECUTOR_CONFIG"
ANY_USER = "any"
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME")


def _name(text: str) -> str | None:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        return None
    return f"{text!r} is not a name; use letters, digits, dot, dash and underscore, at most 64"


def _users(found: tuple[str, ...]) -> str | None:
    wrong = [each for each in found if each != ANY_USER and not re.fullmatch(r"[0-9]{1,10}:[0-9]{1,10}", each)]
    if wrong:  # what a name or a group stands for would be up to the image
        return f"{wrong[0]!r} is not a user; write UID:GID, such as 1000:1000, or {ANY_USER}"
    return checks.at_least_one(found)


@dataclass(frozen=True)
class Config(LogSettings):
    """What the executor runs with."""

    bind: str = setting("127.0.0.1", "address to listen on", check=checks.host)
    port: int = setting(8443, "port to listen on; 0 picks a free one", check=checks.port)
    data: Path = derived(lambda _, env: checks.state_home(env) / "executor", "directory of the jobs")
    name: str = setting("executor", "its name, as `target` of nodes and in logs", check=_name)
    certs: Path = derived(lambda _, env: checks.state_home(env) / "certs", "directory that `gorch certs` filled")
    tls_ca: Path = derived(lambda c, _: c.certs / "ca.pem", "CA of the certificates that callers must show")
    tls_cert: Path = derived(lambda c, _: c.certs / "executor.pem", "its certificate")
    tls_key: Path = derived(lambda c, _: c.certs / "executor.key", "key of `tls_cert`")
    insecure: bool = setting(False, "accept callers without a certificate: anybody may run anything; for tests")
    allowed_names: tuple[str, ...] = setting(
        (),
        "names of callers, as their certificates have them (common name, DNS or URI); none: all that its CA knows",
        live=True,
    )
    allowed_hosts: tuple[str, ...] = setting(
        ("localhost", "127.0.0.1", "[::1]"),
        "if `insecure`: names that a Host header may have, beside `bind`",
        live=True,
    )
    capacity: int = setting(16, "most jobs at once", check=checks.at_least(1), live=True)
    queue: int = setting(64, "most jobs that wait; more are refused with 503", check=checks.at_least(0), live=True)
    artifact_dirs: tuple[Path, ...] = setting(
        (), "directories in which artifacts are looked up, before PATH", live=True
    )
    env_allow: tuple[str, ...] = setting(ENVIRONMENT, "variables of its own environment that nodes get", live=True)
    secrets: Path = derived(lambda c, _: c.data / "secrets", "directory of the secrets: files of mode 600")
    secret_env: tuple[str, ...] = setting((), "variables of its own environment that nodes may name as secrets")
    ansible_inventory: tuple[Path, ...] = setting(
        (),
        "inventories of the engine ansible, files or directories; none: this machine alone, as localhost",
        live=True,
    )
    docker_host: str = derived(
        lambda _, env: env.get("DOCKER_HOST") or "unix:///var/run/docker.sock", "where the engine docker has its daemon"
    )
    docker_networks: tuple[str, ...] = setting(
        ("bridge", "none"),
        "networks that containers may have; they get the first",
        check=checks.at_least_one,
        live=True,
    )
    docker_mounts: tuple[Path, ...] = setting(
        (), "directories that containers may mount, with what is below them", live=True
    )
    docker_capabilities: tuple[str, ...] = setting(
        (), "capabilities that containers may have, such as CHOWN", live=True
    )
    docker_memory: int = setting(
        0,
        "most memory of a container, which it gets unless it wants less; 0: no limit",
        unit="bytes",
        check=checks.at_least(0),
        live=True,
    )
    docker_cpus: float = setting(
        0.0,
        "most processors of a container, which it gets unless it wants less; 0: no limit",
        check=checks.at_least(0),
        live=True,
    )
    docker_pids: int = setting(
        4096,
        "most processes of a container at once, which it gets unless it wants less; 0: no limit",
        check=checks.at_least(0),
        live=True,
    )
    docker_users: tuple[str, ...] = setting(
        (ANY_USER,),
        "users (UID:GID) that containers may run as; they get the first. any: whom the node says, else the image",
        check=_users,
        live=True,
    )
    http_allow: tuple[str, ...] = setting(
        (),
        "where requests of the engine http may go beside public addresses: networks, addresses, names of hosts",
        check=addresses.check,
        live=True,
    )
    http_ca: Path | None = setting(
        None, "CA file (PEM) that servers of the engine http are checked with, in place of the usual CAs"
    )
    ssh_hosts: Path | None = setting(None, "YAML file of hosts for ssh and toscassh")
    ssh_config: Path | None = setting(None, "configuration of the OpenSSH client; empty: that of the user")
    ssh_strict: str = setting(
        "yes",
        "host keys that are not known: yes (refuse them), accept-new (learn them), no (take any, changed ones too)",
        check=checks.one_of(("yes", "accept-new", "no")),
    )
    ssh_connect_timeout: float = setting(
        10.0, "longest time until a host takes a connection", unit="seconds", check=checks.at_least(1)
    )
    kill_grace: float = setting(5.0, "time between TERM and KILL", unit="seconds", check=checks.at_least(0), live=True)
    drain: str = setting(
        "leave",
        "at SIGTERM: leave (end at once; what runs lives on) or finish (end when what runs has ended)",
        check=checks.one_of(("leave", "finish")),
    )
    drain_timeout: float = setting(
        600.0, "longest time to finish; what then still runs lives on", unit="seconds", check=checks.at_least(0)
    )
    keep_done: float = setting(24.0, "how long ended jobs are kept", unit="hours", check=checks.at_least(0), live=True)
    keep_done_count: int = setting(
        100_000, "how many ended jobs are kept; 0: as many as end", check=checks.at_least(0), live=True
    )
    keep_done_bytes: int = setting(
        10 * 2**30,
        "how much ended jobs may take on the disk, all together; 0: as much as they do",
        unit="bytes",
        check=checks.at_least(0),
        live=True,
    )
    keep_unread: float = setting(
        720.0,
        "how long what nobody has fetched is kept before it counts as fetched; 0: for ever",
        unit="hours",
        check=checks.at_least(0),
    )
    log_limit: int = setting(
        10 * 2**20,
        "how much of a job's log is kept: half of it from the start, half from the end",
        unit="bytes",
        check=checks.at_least(64 * 1024),
    )
    body_limit: int = setting(
        16 * 2**20, "largest body of a request", unit="bytes", check=checks.at_least(1024), live=True
    )

    def __post_init__(self) -> None:
        complete(self, os.environ)

    @property
    def service(self) -> str:
        """The name of this service, for those who collect logs."""
        return "gorchestrator-executor"

    @classmethod
    def load(
        cls, environ: Mapping[str, str] | None = None, *, text: str | None = None, before: "Config | None" = None
    ) -> Loaded["Config"]:
        """Read file and environment; raises SettingsError with every fault.

        ``text``: what the file is taken to say. ``before``: settings in force, of which those stay that are not live.
        """
        environ = os.environ if environ is None else environ
        return load(cls, PREFIX, environ, file_variable=FILE_VARIABLE, rules=RULES, text=text, before=before)


def exposed(config: Config, host: str) -> str | None:
    """Return what is wrong if the executor listens on ``host``, None if it may."""
    if not config.insecure or checks.is_loopback(host):
        return None
    return f"insecure: with bind {host!r} every machine could run anything here; bind to 127.0.0.1"


def _shown_to_all(config: Config) -> str | None:
    both = sorted({*config.secret_env} & {*config.env_allow})
    if not both:
        return None
    return f"secret_env: {', '.join(both)} is in env_allow too, so every node would get it; take it out of one of them"


def _names_of_nobody(config: Config) -> str | None:
    if not (config.insecure and config.allowed_names):
        return None
    return "allowed_names: with insecure nobody has to show a certificate, so there are no names; leave out one of them"


RULES = (
    Rule(("bind", "insecure"), lambda config: exposed(config, config.bind)),
    Rule(("allowed_names", "insecure"), _names_of_nobody),
    Rule(("secret_env", "env_allow"), _shown_to_all),
)
