"""The engine ``shell``: runs a program or a script of this machine. No shell is involved unless a script names one."""

import math
import os
import pwd
import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from executor import artifacts
from executor.drivers.base import Driver, Job, NoOptions
from executor.fields import Octal, Size, absolute
from executor.launch import Setup, User
from executor.outcome import Exit, Outcome, failure
from gorchestrator.common import wire
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State

INLINE = "#!"
SIGNALS = {"cpu": signal.SIGXCPU, "file_size": signal.SIGXFSZ}  # that tell of a limit
OUT_OF_MEMORY = frozenset({"SIGABRT", "SIGBUS", "SIGSEGV"})  # how programs end that get none, or cannot be loaded
UNITS = {"cpu": "s", "file_size": "bytes", "memory": "bytes"}
SHELLS = 128  # and the signal's number: the exit status of a shell whose last program was killed by one


class LimitsSchema(Schema):
    """What a process and each of those that it starts may use."""

    class Meta:
        """An unknown limit is a mistake and not ignored."""

        unknown = RAISE

    cpu = fields.Integer(strict=True, validate=validate.Range(min=1), metadata={"description": "seconds of CPU time"})
    memory = Size(metadata={"description": "bytes of address space"})
    files = fields.Integer(strict=True, validate=validate.Range(min=3), metadata={"description": "open files"})
    file_size = Size(metadata={"description": "bytes of a file that it writes; its log is one"})


class Options(NoOptions):
    """The options of a shell node."""

    cwd = fields.String(validate=absolute, metadata={"description": "directory that it begins in"})
    user = fields.String(
        validate=[validate.Length(min=1), wire.text], metadata={"description": "who it runs as; as root only"}
    )
    limits = fields.Nested(LimitsSchema)
    nice = fields.Integer(strict=True, validate=validate.Range(min=-20, max=19))
    umask = Octal()


class Shell(Driver):
    """Runs an artifact of the artifact directories or of PATH, an absolute path, or an inline script."""

    fields = frozenset({"artifact", "args", "env", "output", "timeout"})
    options = Options

    def run(self, job: Job) -> Outcome:
        """Run the artifact with the arguments as they are."""
        if job.begun:
            return _judged(job, job.command([]), "the program")
        artifact = job.attempt.artifact
        if artifact.startswith(INLINE):
            program, shown = job.script(artifact), "the inline script"
        else:
            found = artifacts.program(artifact, job.artifact_dirs, job.env)
            if isinstance(found, Outcome):
                return found
            program = shown = found
        try:
            setup = _setup(job.options)
        except ValueError as error:
            return failure(ReasonCode.ARGUMENT, str(error))
        home = {name: value for name, value in _home(setup).items() if name not in job.node_env}
        env = {**job.env, **home}
        exit = job.command([program, *job.attempt.args], env=env, cwd=job.options.get("cwd"), setup=setup)
        return _judged(job, exit, shown)


def _judged(job: Job, exit: Exit, shown: str) -> Outcome:
    """Return what its end means; a failure names the limit that it has reached."""
    found = job.outcome(exit, shown)
    reached = _reached(exit, job.options.get("limits", {})) if found.state == State.FAILURE else None
    return replace(found, reason=f"{reached}; {found.reason}") if reached else found


def _reached(exit: Exit, limits: Mapping[str, int]) -> str | None:
    """Return which of its limits it has reached, as far as its end shows that."""
    for limit, number in SIGNALS.items():
        if limit in limits and exit.signal == number.name:
            return f"killed by its limit of {_shown(limit, limits)}"
        if limit in limits and exit.code == SHELLS + number:
            return f"perhaps it reached its limit of {_shown(limit, limits)}"
    if exit.signal == "SIGKILL" and (exit.cpu or 0.0) >= limits.get("cpu", math.inf):  # it has borne the signal
        return f"killed by its limit of {_shown('cpu', limits)}"
    if exit.signal in OUT_OF_MEMORY and "memory" in limits:
        return f"perhaps it reached its limit of {_shown('memory', limits)}"
    return None


def _shown(limit: str, limits: Mapping[str, int]) -> str:
    return f"{limit} {limits[limit]} {UNITS[limit]}"


def _setup(options: Mapping[str, Any]) -> Setup | None:
    """Return the circumstances that the options ask for. Raises ValueError if they are not to be had here."""
    user = _user(options["user"]) if "user" in options else None
    setup = Setup(user, options.get("limits"), options.get("nice"), options.get("umask"))
    return None if setup == Setup() else setup


def _user(name: str) -> User:
    if os.geteuid() != 0:
        raise ValueError("the option user needs an executor that runs as root")
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        raise ValueError(f"there is no user {name!r} on this executor's machine") from None
    return User(name, found.pw_uid, found.pw_gid, tuple(os.getgrouplist(name, found.pw_gid)), found.pw_dir)


def _home(setup: Setup | None) -> dict[str, str]:
    """Return the variables that tell another user who he is."""
    if setup is None or setup.user is None:
        return {}
    return {"HOME": setup.user.home, "USER": setup.user.name, "LOGNAME": setup.user.name}
