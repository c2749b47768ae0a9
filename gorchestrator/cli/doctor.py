"""``gorch doctor``: what is wrong with a set-up, and what to do about it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from gorchestrator.cli.client import shown_token
from gorchestrator.cli.config import executor_settings
from gorchestrator.common import serving
from gorchestrator.common.settings import SettingsError
from gorchestrator.common.text import printable
from gorchestrator.config import Config

if TYPE_CHECKING:
    from gorchestrator.doctor import Finding

_COLOURS = {"ok": "green", "warning": "yellow", "fault": "red"}


@click.command()
@click.option("--executor", is_flag=True, help="Look at this machine's executor instead of the orchestrator.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.pass_context
def doctor(ctx: click.Context, executor: bool, as_json: bool) -> None:
    """Check a set-up: certificates, clocks, permissions, executors, engines, disk, database, limits.

    Call it as the user of the service and with its settings; nothing is changed. Exit status: 0 if there is no fault
    (there may be warnings), 1 otherwise.
    """
    show = _Lines() if not (as_json or ctx.obj["json"]) else _Json()
    for finding in _executor() if executor else _orchestrator():
        show.add(finding)
    show.end()
    sys.exit(1 if show.counts["fault"] else 0)


def _orchestrator() -> Iterable["Finding"]:
    from gorchestrator import doctor as checks  # noqa: PLC0415  (--help does without the service's parts)

    try:
        config = Config.load().value
    except SettingsError as error:
        return checks.settings(error.faults)
    return checks.orchestrator(config, shown_token(os.environ.get("GORCH_TOKEN_FILE")))


def _executor() -> Iterable["Finding"]:
    from gorchestrator import doctor as checks  # noqa: PLC0415

    try:
        found = executor_settings()
    except SettingsError as error:
        return checks.settings(error.faults)
    return checks.this_executor({item["name"]: item["value"] for item in found}, _engines())


def _engines() -> dict[str, dict[str, Any]]:
    """Ask the drivers on this machine; the executor itself need not run."""
    command, environment = serving.python("executor", "--engines")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


class _Json:
    """Collects what is found, for one document at the end."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(_COLOURS, 0)
        self._found: list[dict[str, str]] = []

    def add(self, finding: "Finding") -> None:
        """Take a finding."""
        self.counts[finding.level] += 1
        self._found.append(asdict(finding))

    def end(self) -> None:
        """Print all."""
        click.echo(json.dumps({**self.counts, "findings": self._found}))


class _Lines(_Json):
    """Prints each finding as soon as it is there."""

    def add(self, finding: "Finding") -> None:
        """Print a finding, and below it what to do."""
        super().add(finding)
        level = click.style(f"{finding.level.value:8}", _COLOURS[finding.level])
        click.echo(f"{level} {finding.check:13} {printable(finding.subject)}: {printable(finding.says)}")
        if finding.advice:
            click.echo(f"{'':9}{'':13} → {printable(finding.advice)}")

    def end(self) -> None:
        """Print how many there were."""
        ok, warnings, faults = self.counts.values()
        click.echo(f"{_number(faults, 'fault')}, {_number(warnings, 'warning')}, {ok} ok")


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
