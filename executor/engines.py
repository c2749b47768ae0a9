"""Finds the drivers: any installed distribution may bring some, in the entry-point group ``gorchestrator.drivers``."""

import logging
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from marshmallow import INCLUDE, Schema

from executor import refusals
from executor.attempt import HONOURED_BY_ALL, Attempt
from executor.config import Config
from executor.drivers.base import Driver, Job
from executor.outcome import Outcome, failure
from gorchestrator.common.http.body import faults as flatten
from gorchestrator.common.reasons import ReasonCode

log = logging.getLogger(__name__)

GROUP = "gorchestrator.drivers"
# A checkout that is not installed has no entry points: the same as in setup.cfg.
OURS = tuple(
    EntryPoint(name, f"executor.drivers.{place}", GROUP)
    for name, place in {
        "ansible": "ansible:Ansible",
        "docker": "docker:Docker",
        "http": "http:Http",
        "nil": "pause:Nil",
        "shell": "shell:Shell",
        "sleep": "pause:Sleep",
        "ssh": "ssh:Ssh",
        "toscassh": "toscassh:Toscassh",
    }.items()
)


class AnyOptions(Schema):
    """What an engine has that cannot be asked."""

    class Meta:
        """Nothing is known of them."""

        unknown = INCLUDE


class Broken(Driver):
    """Stands in for a driver that cannot be loaded, so that whoever asks for the engine is told why."""

    fields = frozenset({"artifact", "args", "env", "output", "timeout"})
    options = AnyOptions

    def __init__(self, config: Config, reason: str) -> None:
        super().__init__(config)
        self.reason = reason

    def check(self) -> str | None:
        """Return why it cannot be loaded."""
        return self.reason

    def run(self, job: Job) -> Outcome:
        """Fail, unless it was begun when there was a driver that could be loaded."""
        return without(job, f"engine {job.attempt.engine} cannot work here: {self.reason}")


def load(config: Config) -> dict[str, Driver]:
    """Return the engines and their drivers."""
    found = {entry.name: entry for entry in (*OURS, *entry_points(group=GROUP))}
    return {name: _load(entry, config) for name, entry in sorted(found.items())}


def without(job: Job, why: str) -> Outcome:
    """Return the outcome of a job that has no driver, for the reason ``why``.

    A command of it that was started is followed to its end. What was begun elsewhere nobody here can find.
    """
    if not job.begun:
        return failure(ReasonCode.ENGINE, why)
    if job.elsewhere:
        return failure(ReasonCode.LOST, f"{why}; what was begun may still run")
    return job.outcome(job.command([]), "the program")


@cache
def schema(options: type[Schema]) -> Schema:
    """Return the schema of a driver's options, made once: that takes longer than to use it."""
    return options()


def honoured(driver: Driver) -> frozenset[str]:
    """Return the fields of a node that a driver honours, each of its options as ``options.NAME``."""
    return driver.fields | {f"options.{name}" for name in schema(driver.options).fields}


def admit(engines: Mapping[str, Driver], attempt: Attempt) -> None:
    """Return if there is an engine for an attempt that honours all that it asks for. Raises a refusal."""
    driver = engines.get(attempt.engine)
    if driver is None:
        detail = f"This executor has no engine {attempt.engine!r}; it has: {', '.join(engines)}."
        raise refusals.EngineUnknown(detail, engines=list(engines))
    unknown = sorted(attempt.fields_used() - honoured(driver) - HONOURED_BY_ALL)
    if unknown:
        raise refusals.FieldNotHonoured(f"Engine {attempt.engine} cannot honour: {', '.join(unknown)}.")
    options = schema(driver.options)
    faults = options.validate(attempt.options)
    if faults:
        raise refusals.OptionsInvalid(errors=flatten(faults, options, "/options"))


def describe(engines: Mapping[str, Driver]) -> dict[str, Any]:
    """Return for each engine whether it can work here, as ping says it."""
    reasons = {name: driver.check() for name, driver in engines.items()}
    return {
        name: {"ok": reasons[name] is None, "reason": reasons[name], "fields": sorted(honoured(driver))}
        for name, driver in engines.items()
    }


def _load(entry: EntryPoint, config: Config) -> Driver:
    try:
        found = entry.load()
        driver = found(config) if isinstance(found, type) and issubclass(found, Driver) else None
    except Exception as error:  # whatever a foreign module does at import, the others work
        log.exception("cannot load the driver of engine %s", entry.name, extra={"event": "driver_broken"})
        return Broken(config, f"{entry.value} cannot be loaded: {error}")
    return driver or Broken(config, f"{entry.value} is not a Driver")
