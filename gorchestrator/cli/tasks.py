"""The commands about tasks: submit, show, attempts, watch, cancel, resolve, validate."""

import sys
from typing import Any

import click

from gorchestrator.cli.client import Client, client_command, trace_context
from gorchestrator.cli.failure import Failure
from gorchestrator.common.states import State
from gorchestrator.common.text import printable

FAILED = 1
ANSWERS = ("success", "failure", "retry")
CANCEL_WAIT = 60.0  # seconds; beside it the executor's grace and ten seconds for what cannot be killed

_task = click.argument("task", metavar="TASK")
_file = click.argument("file", metavar="FILE", type=click.File("rb"))


@click.command()
@_file
@click.option("--watch", "-w", "watching", is_flag=True, help="Stay until it has ended; status 0: success, 1: not.")
@click.option("--patience", type=click.FloatRange(0), default=0, metavar="SECONDS", help="Try again if it is full.")
@client_command
def submit(client: Client, file: Any, watching: bool, patience: float) -> None:
    """Run the gorch in FILE (- is standard input) and print the id of its task."""
    task = client.remote.submit(_read(file), patience=patience, context=trace_context())
    if watching:
        if not client.as_json:
            click.echo(task, err=True)
        _watch(client, task)
    elif client.as_json:
        client.print_json({"id": task})
    else:
        click.echo(task)


@click.command()
@_task
@click.option("--digraph", is_flag=True, help="With the adjacency matrix, if the gorch had one; for --json.")
@client_command
def show(client: Client, task: str, digraph: bool) -> None:
    """Show a task and its nodes. Status 1 if it ended without success."""
    _print(client, client.remote.task(task, digraph=digraph))


@click.command()
@_task
@click.argument("node", metavar="NODE")
@client_command
def attempts(client: Client, task: str, node: str) -> None:
    """List the tries of NODE (name or number) on executors: how each ended, where, and how much it printed."""
    found = client.remote.attempts(task, node)
    if client.as_json:
        client.print_json({"attempts": found})
    elif not found:
        click.echo("No attempts: it has not begun, or runs inside of the orchestrator.", err=True)
    else:
        from gorchestrator.cli import tables  # noqa: PLC0415

        tables.show_attempts(found)


@click.command()
@_task
@client_command
def watch(client: Client, task: str) -> None:
    """Stay until a task has ended. Status 0 if it succeeded, 1 if not."""
    _watch(client, task)


@click.command()
@_task
@click.option("--wait", is_flag=True, help="Return when all its processes are dead.")
@client_command
def cancel(client: Client, task: str, wait: bool) -> None:
    """Stop a task: kill what runs, and do not start the rest."""
    found = client.remote.cancel(task, wait=CANCEL_WAIT if wait else 0)
    state = State(found["state"])
    if client.as_json:
        client.print_json(found)
    elif state is State.CANCELED:
        click.echo("canceled")
    elif state.final:
        click.echo(f"It had ended already: {state.label}")
    else:
        click.echo("It is being canceled; gorch show tells when everything is dead.")
    if wait and not state.final:
        raise Failure(f"it is not dead after {CANCEL_WAIT:g} s; gorch show {task} says what is left")


@click.command()
@_task
@click.argument("node", metavar="NODE")
@click.option("--as", "answer", required=True, type=click.Choice(ANSWERS), help="How its attempt counts.")
@click.option("--output", "outputs", multiple=True, metavar="NAME=VALUE", help="What it has produced; may be repeated.")
@client_command
def resolve(client: Client, task: str, node: str, answer: str, outputs: tuple[str, ...]) -> None:
    """Say how an attempt of NODE (name or number) counts of which nobody knows how it ended.

    That is for a node that asks, or whose executor does not answer; what may still run of it is killed when that is
    back.
    """
    found = client.remote.resolve(task, node, answer, dict(map(_pair, outputs)))
    if client.as_json:
        client.print_json(found)
    else:
        click.echo(f"attempt {found['attempt']} counts as {found['as']}")


@click.command()
@_file
@client_command
def validate(client: Client, file: Any) -> None:
    """Check the gorch in FILE (- is standard input) without running it; all faults are listed, with status 2."""
    found = client.remote.validate(_read(file))
    if client.as_json:
        client.print_json(found)
        return
    path = _count(found["critical_path"]["length"], "node")
    click.echo(f"valid: {_count(found['nodes'], 'node')}, {_count(found['edges'], 'edge')}; longest path: {path}")
    for executor in found["executors"]:
        name, reason = printable(executor["name"]), printable(executor["reason"] or "")
        click.echo(f"  {name} {'takes it' if executor['takes'] else 'does not take it'}{reason and f': {reason}'}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--output")
    return name, value


def _read(file: Any) -> bytes:
    try:
        content: bytes = file.read()
    except OSError as error:
        raise Failure(f"cannot read {file.name}: {error.strerror}") from error
    return content


def wait_for(client: Client, task: str) -> dict[str, Any]:
    """Return a task when it has ended; meanwhile, its progress is shown to whoever does not want JSON."""
    from gorchestrator.cli.progress import display  # noqa: PLC0415  (rich takes its time)

    if client.as_json:
        return client.remote.wait(task)
    found: dict[str, Any] = {}
    with display(stderr=True) as shown:
        for found in client.remote.follow(task):
            shown.update(found)
    return found


def print_task(client: Client, task: dict[str, Any]) -> None:
    """Print a task and its nodes."""
    if client.as_json:
        client.print_json(task)
    else:
        from gorchestrator.cli import tables  # noqa: PLC0415

        tables.show_task(task)


def exit_status(task: dict[str, Any]) -> int:
    """Return the status that the command ends with: not 0 if the task ended without success."""
    state = State(task["state"])
    return FAILED if state.final and state is not State.SUCCESS else 0


def _watch(client: Client, task: str) -> None:
    _print(client, wait_for(client, task))


def _print(client: Client, task: dict[str, Any]) -> None:
    print_task(client, task)
    if status := exit_status(task):
        sys.exit(status)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
