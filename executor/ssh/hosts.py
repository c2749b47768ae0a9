"""How a target is reached: what is said of it in the file ``ssh_hosts``, and else by the user's ssh configuration.

The file is YAML, a mapping of names to ``host``, ``port``, ``remote_user``, ``private_key`` and ``known_hosts``. That
is the format of the Go project's ``sshConfig.yaml``, whose ``public_key`` is taken too; OpenSSH needs only the private
one.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from marshmallow import Schema, ValidationError, fields, validate

from executor.config import Config
from gorchestrator.common.http.body import faults as flatten

#: What may go to ssh as it is: a name, an address, USER@HOST or ssh://USER@HOST:PORT; nothing that reads as an option.
PLAIN = re.compile(r"[A-Za-z0-9_.\[\]:@%/+][A-Za-z0-9_.\[\]:@%/+-]*\Z")
WORD = validate.Regexp(PLAIN, error="must be a plain name, and not begin with a dash")
ALIVE, TRIES = 15, 3  # seconds between two signs of life of a silent host, and how many may be missing
IDLE = 60  # seconds after which a connection without work ends


class HostsFault(Exception):
    """The file of hosts cannot be used, or has nothing usable for a target; the text says why."""


class HostSchema(Schema):
    """One host. What is left out is as ssh is configured."""

    host = fields.String(validate=WORD)
    port = fields.Integer(validate=validate.Range(1, 65535))
    remote_user = fields.String(validate=WORD)
    private_key = fields.String(validate=validate.Length(min=1))
    public_key = fields.String()
    known_hosts = fields.String(validate=validate.Length(min=1))


SCHEMA = HostSchema()


class Hosts:
    """Finds the options of the client for a target. The file is read again when it has changed."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._seen: tuple[int, int] | None = None  # of the file, when it was read
        self._known: Mapping[str, Any] = {}

    def fault(self) -> str | None:
        """Return what is wrong with the settings."""
        try:
            self._load()
        except HostsFault as fault:
            return str(fault)
        config = self._config.ssh_config
        if config is not None and not os.access(config, os.R_OK):
            return f"the setting ssh_config names {config}, which cannot be read"
        return None

    def arguments(self, target: str) -> list[str]:
        """Return the client's options and the destination. Raises :class:`HostsFault`."""
        entry = self._entry(target)
        folder = Path() if self._config.ssh_hosts is None else self._config.ssh_hosts.absolute().parent
        return [*self._common(), *_special(entry, folder), "--", entry.get("host", target)]

    def _entry(self, target: str) -> Mapping[str, Any]:
        known = self._load()
        if target not in known:
            if not target:
                raise HostsFault("the node has no target: name the host that it is to run on")
            if not PLAIN.fullmatch(target):
                raise HostsFault(f"{target[:100]!r} is not a host: it must be a plain name, and not begin with a dash")
            return {}
        try:
            entry: Mapping[str, Any] = SCHEMA.load(known[target] or {})
        except ValidationError as error:
            found = "; ".join(f"{fault['pointer'][1:]}: {fault['detail']}" for fault in flatten(error.messages, SCHEMA))
            raise HostsFault(f"{self._config.ssh_hosts}: {target}: {found}") from None
        if "host" not in entry and not PLAIN.fullmatch(target):
            raise HostsFault(f"{self._config.ssh_hosts}: {target!r} is not the name of a host; give it a `host`")
        return entry

    def _common(self) -> list[str]:
        config = self._config
        options = {
            "BatchMode": "yes",
            "LogLevel": "ERROR",  # neither banners, which may say anything, nor nothing at all
            "ConnectTimeout": str(max(1, round(config.ssh_connect_timeout))),
            "StrictHostKeyChecking": config.ssh_strict,
            "ServerAliveInterval": str(ALIVE),
            "ServerAliveCountMax": str(TRIES),
            "ControlPersist": str(IDLE),
            "ClearAllForwardings": "yes",
            "ForwardAgent": "no",
            "ForwardX11": "no",
            "PermitLocalCommand": "no",
            "RemoteCommand": "none",
            "RequestTTY": "no",
        }
        given = [] if config.ssh_config is None else ["-F", str(config.ssh_config)]
        return [*given, *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]

    def _load(self) -> Mapping[str, Any]:
        path = self._config.ssh_hosts
        if path is None:
            return {}
        try:
            found = path.stat()
            seen = (found.st_mtime_ns, found.st_size)
            if seen != self._seen:
                self._known = _read(path)
                self._seen = seen
        except OSError as error:
            raise HostsFault(f"the setting ssh_hosts names {path}: {error.strerror}") from None
        return self._known


def _special(entry: Mapping[str, Any], folder: Path) -> list[str]:
    found: list[str] = []
    if "port" in entry:
        found += ["-p", str(entry["port"])]
    if "remote_user" in entry:
        found += ["-l", entry["remote_user"]]
    if "private_key" in entry:
        found += ["-i", str(folder / Path(entry["private_key"]).expanduser()), "-o", "IdentitiesOnly=yes"]
    if "known_hosts" in entry:
        found += ["-o", f'UserKnownHostsFile="{folder / Path(entry["known_hosts"]).expanduser()}"']
    return found


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise HostsFault(f"{path} is not YAML: {text}") from None
    if content is not None and not isinstance(content, dict):
        raise HostsFault(f"{path} must be a mapping of names to hosts")
    return {str(name): entry for name, entry in (content or {}).items()}
