"""``gorch config``: the settings in force, and where each came from."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from gorchestrator.cli.failure import Failure
from gorchestrator.common import serving
from gorchestrator.common.settings import Loaded, SettingsError, describe
from gorchestrator.config import FILE_VARIABLE, Config

EXECUTOR_FILE = "GORCH_EXECUTOR_CONFIG"
FILE = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)

T = TypeVar("T")


@click.command()
@click.option(
    "--executor", is_flag=True, help="Those of the executor (GORCH_EXECUTOR_…) instead of the orchestrator's."
)
@click.option("--check", metavar="FILE", type=FILE, help="Read FILE as the service would, and tell all its faults.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def config(executor: bool, check: Path | None, as_json: bool) -> None:
    """Print the settings in force and where each came from: default, file or environment."""
    if executor:
        file = {EXECUTOR_FILE: str(check)} if check else {}
        settings = _told(lambda: executor_settings(**file))
    else:
        settings = describe(load({FILE_VARIABLE: str(check)} if check else None))
    if check and not as_json:
        said = [item["name"] for item in settings if item["source"] == f"file {check}"]
        click.echo(f"{check} can be used: it sets {', '.join(said) or 'nothing'}")
        return
    if as_json:
        click.echo(json.dumps({item["name"]: item for item in settings}))
        return
    from gorchestrator.cli import tables  # noqa: PLC0415  (rich takes its time)

    tables.show_settings(settings)


def load(overrides: Mapping[str, str] | None = None) -> Loaded[Config]:
    """Return the orchestrator's settings; ``overrides`` win over the environment. All faults end the command."""
    return _told(lambda: Config.load(os.environ | dict(overrides or {})))


def executor_settings(**settings: str) -> list[dict[str, Any]]:
    """Return the settings of this machine's executor, as described. Raises SettingsError.

    ``settings``: variables that win over the environment.
    """
    found: list[dict[str, Any]] = ask_executor("--settings", **settings)
    return found


def ask_executor(*arguments: str, **settings: str) -> Any:
    """Return what this machine's executor answers to its own command line, as JSON. Raises SettingsError.

    ``settings``: variables that win over the environment.
    """
    # The orchestrator's package knows the executor by name only.
    command, environment = serving.python("executor", *arguments)
    done = subprocess.run(command, env=environment | settings, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.splitlines() or ["the executor cannot be asked"]
        raise SettingsError(line.removeprefix("Error: ") for line in lines)
    return json.loads(done.stdout)


def _told(read: Callable[[], T]) -> T:
    try:
        return read()
    except SettingsError as error:
        first, *others = error.faults
        raise Failure(first, tuple(others)) from error
