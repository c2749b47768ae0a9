"""The options of a docker node, and which of them this executor's settings allow."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from executor.config import ANY_USER, Config
from executor.drivers.base import NoOptions
from executor.drivers.docker.mounts import Mount, normal
from executor.fields import Size, absolute

OURS = "gorchestrator."  # labels that begin so are ours
OUTPUT = "/gorch/output"  # $GORCH_OUTPUT inside
NEVER, MISSING, ALWAYS = "never", "missing", "always"


def _label(name: str) -> None:
    if not name or name.startswith(OURS):
        raise ValidationError(f"must not be empty or begin with {OURS}")


def _target(path: str) -> None:
    absolute(path)
    if normal(path) in ("/", os.path.dirname(OUTPUT), OUTPUT):
        raise ValidationError(f"must be neither / nor {os.path.dirname(OUTPUT)}")


class MountSchema(Schema):
    """A directory or file of the executor's machine inside of the container."""

    class Meta:
        """An unknown key is a mistake and not ignored."""

        unknown = RAISE

    source = fields.String(required=True, validate=absolute, metadata={"description": "path on the executor's machine"})
    target = fields.String(required=True, validate=_target, metadata={"description": "path in the container"})
    read_only = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class Options(NoOptions):
    """The options of a docker node."""

    pull = fields.String(
        load_default=MISSING,
        validate=validate.OneOf([NEVER, MISSING, ALWAYS]),
        metadata={"description": "when the image is fetched from its registry"},
    )
    entrypoint = fields.List(fields.String(), metadata={"description": "in place of the image's; empty: none"})
    user = fields.String(
        validate=validate.Length(min=1), metadata={"description": "whom it runs as, one of `docker_users`"}
    )
    workdir = fields.String(validate=absolute, metadata={"description": "directory that it begins in"})
    labels = fields.Dict(keys=fields.String(validate=_label), values=fields.String())
    memory = Size(validate=validate.Range(min=2**20), metadata={"description": "bytes of memory; there is no swap"})
    cpus = fields.Float(
        validate=validate.Range(min=0.01, max=1024), metadata={"description": "processors, such as 0.5"}
    )
    pids = fields.Integer(strict=True, validate=validate.Range(min=1), metadata={"description": "most processes"})
    read_only = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "whether its files cannot be changed"},
    )
    network = fields.String(validate=validate.Length(min=1), metadata={"description": "one of `docker_networks`"})
    mounts = fields.List(fields.Nested(MountSchema))
    capabilities = fields.List(
        fields.String(validate=validate.Regexp(r"[A-Z_]{2,40}\Z")), metadata={"description": "of `docker_capabilities`"}
    )


def refused(options: Mapping[str, Any], mounts: Iterable[Mount], config: Config) -> str | None:
    """Return which option goes beyond the executor's settings, with the setting's name; None if none does."""
    found = (check(options, config) for check in (_network, _user, _capabilities, _amounts))
    return next((fault for fault in (*found, _mounts(mounts, config)) if fault), None)


def network(options: Mapping[str, Any], config: Config) -> str:
    """Return the network of a container: the first allowed one if the node does not say."""
    found: str = options.get("network") or config.docker_networks[0]
    return found


def user(options: Mapping[str, Any], config: Config) -> str | None:
    """Return whom a container runs as: the first allowed one if the node does not say; None: whom the image says."""
    found: str = options.get("user") or config.docker_users[0]
    return None if found == ANY_USER else found


def _network(options: Mapping[str, Any], config: Config) -> str | None:
    wanted = options.get("network")
    if wanted is None or wanted in config.docker_networks:
        return None
    return _beyond(f"network {wanted!r}", "docker_networks", config.docker_networks)


def _user(options: Mapping[str, Any], config: Config) -> str | None:
    wanted = options.get("user")
    if wanted is None or wanted in config.docker_users or ANY_USER in config.docker_users:
        return None
    return _beyond(f"user {wanted!r}", "docker_users", config.docker_users)


def _mounts(mounts: Iterable[Mount], config: Config) -> str | None:
    allowed = [os.path.realpath(folder) for folder in config.docker_mounts]
    for each in mounts:
        if not any(os.path.commonpath([each.source, folder]) == folder for folder in allowed):
            return _beyond(f"a mount of {each.asked}", "docker_mounts", config.docker_mounts)
        if not os.path.exists(each.source):
            return f"a mount of {each.asked}: there is no such file or directory on this executor's machine"
    return None


def _capabilities(options: Mapping[str, Any], config: Config) -> str | None:
    beyond = [name for name in options.get("capabilities", ()) if name not in config.docker_capabilities]
    return _beyond(f"capability {beyond[0]}", "docker_capabilities", config.docker_capabilities) if beyond else None


def _amounts(options: Mapping[str, Any], config: Config) -> str | None:
    for name, most, setting in (
        ("memory", config.docker_memory, "docker_memory"),
        ("cpus", config.docker_cpus, "docker_cpus"),
        ("pids", config.docker_pids, "docker_pids"),
    ):
        if most and options.get(name, 0) > most:
            return f"{name} {options[name]} is more than this executor's setting {setting} allows: {most}"
    return None


def _beyond(what: str, setting: str, allowed: tuple[object, ...]) -> str:
    shown = ", ".join(map(str, allowed)) or "nothing"
    return f"{what} is not allowed on this executor; its setting {setting} allows {shown}"
