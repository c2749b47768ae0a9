"""``gorch tosca``: a TOSCA service template or CSAR becomes a gorch, which is printed, written or run."""

import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gorchestrator.cli.client import Client, client_command, fault_lines, trace_context
from gorchestrator.cli.failure import Failure
from gorchestrator.cli.output import OUT, write
from gorchestrator.common.states import State
from gorchestrator.common.text import printable

if TYPE_CHECKING:
    from gorchestrator.tosca.convert import Conversion, Request
    from gorchestrator.tosca.faults import ToscaError

_FILE = click.Path(exists=True, path_type=Path)
_PLAIN = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", metavar="FILE", type=_FILE)
@click.option("--inputs", "-i", type=_PLAIN, help="Values of the template's inputs, as YAML or JSON.")
@click.option("--workflow", metavar="NAME", help="Run this workflow of the template.")
@click.option("--undeploy", is_flag=True, help="Stop and delete what was deployed.")
@click.option("--local", is_flag=True, help="Run scripts on the executor's machine, not on the nodes' hosts.")
@click.option("--host", "hosts", multiple=True, metavar="NAME=ADDRESS", help="Where a Compute node is.")
@click.option("--engine", "engines", multiple=True, metavar="TYPE=ENGINE", help="What runs a type or an extension.")
@click.option("--compact/--no-compact", default=True, help="Leave out operations that do nothing (the default).")
@click.option("--strict", is_flag=True, help="Refuse what is otherwise a warning.")
@click.option("--allow-network", is_flag=True, help="Follow imports that are URLs.")
@click.option("--output", "-o", type=OUT, help="Write the gorch there.")
@click.option("--submit", is_flag=True, help="Run it and print the id of its task.")
@click.option("--watch", "-w", "watching", is_flag=True, help="Stay until it has ended, and show the outputs.")
@client_command
def tosca(
    client: Client,
    file: Path,
    inputs: Path | None,
    output: Path | None,
    submit: bool,
    watching: bool,
    **wanted: Any,
) -> None:
    """Make a gorch of the TOSCA template or CSAR in FILE: print it, write it (-o), or run it (--submit)."""
    if watching and not submit:
        raise click.UsageError("--watch goes with --submit.")
    if wanted["undeploy"] and wanted["workflow"]:
        raise click.UsageError("Give either --undeploy or --workflow.")
    if importlib.util.find_spec("toscaparser") is None:
        raise Failure("gorch tosca needs: pip install 'gorchestrator-oaas[tosca]'")
    found = _convert(file, inputs, wanted)
    for warning in found.warnings:
        click.echo(f"Warning: {printable(str(warning))}", err=True)
    text = json.dumps(found.gorch, ensure_ascii=False, indent=2)
    _check(text)
    if output is not None or not submit:
        write(f"{text}\n", output)
    if submit:
        _run(client, found, watching=watching)


def _convert(file: Path, inputs: Path | None, wanted: Mapping[str, Any]) -> "Conversion":
    from gorchestrator.tosca.convert import convert, read_inputs  # noqa: PLC0415  (--help does without)
    from gorchestrator.tosca.faults import ToscaError  # noqa: PLC0415

    try:
        return convert(file, _request({} if inputs is None else read_inputs(inputs), wanted))
    except ToscaError as error:
        raise _failure(file, error) from error
    except OSError as error:
        raise Failure(f"cannot read {error.filename or file}: {error.strerror}") from error


def _request(inputs: Mapping[str, Any], wanted: Mapping[str, Any]) -> "Request":
    from gorchestrator.tosca.convert import Request  # noqa: PLC0415
    from gorchestrator.tosca.writing import Options  # noqa: PLC0415

    engines, hosts = _pairs("--engine", wanted["engines"]), _pairs("--host", wanted["hosts"])
    return Request(
        inputs,
        workflow=wanted["workflow"] or "",
        undeploy=wanted["undeploy"],
        compact=wanted["compact"],
        allow_network=wanted["allow_network"],
        strict=wanted["strict"],
        options=Options(wanted["local"], engines, hosts),
    )


def _pairs(option: str, given: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, _, value = text.partition("=")
        if not name or not value:
            raise click.BadParameter(f"{text!r} has to be of the form NAME=VALUE", param_hint=option)
        pairs[name] = value
    return pairs


def _failure(file: Path, error: "ToscaError") -> Failure:
    count = len(error.faults)
    told = f"{count} fault{'' if count == 1 else 's'}"
    name = printable(file.name or str(file))
    return Failure(f"{name} has {told}", tuple(printable(str(fault)) for fault in error.faults))


def _check(text: str) -> None:
    """Refuse what a service would: a text that is too long for an argument, for example."""
    from gorchestrator.cli.graphs import of_gorch  # noqa: PLC0415
    from gorchestrator.domain.errors import InvalidGorch  # noqa: PLC0415

    try:
        of_gorch(text.encode(), with_states=False)
    except InvalidGorch as error:
        lines = fault_lines([(fault.pointer, fault.detail) for fault in error.faults])
        raise Failure("the template becomes a gorch that is refused", lines) from error


def _run(client: Client, found: "Conversion", *, watching: bool) -> None:
    from gorchestrator.cli.tasks import exit_status, print_task, wait_for  # noqa: PLC0415

    id_ = client.remote.submit(found.gorch, context=trace_context())
    if not watching:
        if client.as_json:
            client.print_json({"id": id_})
        else:
            click.echo(id_)
        return
    if not client.as_json:
        click.echo(id_, err=True)
    task = wait_for(client, id_)
    brought = {node["name"]: node["output"] for node in task["nodes"] if node["state"] == State.SUCCESS}
    outputs = found.written.evaluate(brought)
    if client.as_json:
        client.print_json({"task": task, "outputs": outputs})
    else:
        print_task(client, task)
        _show(outputs)
    sys.exit(exit_status(task))


def _show(outputs: Mapping[str, Any]) -> None:
    from gorchestrator.cli import tables  # noqa: PLC0415

    if outputs:
        tables.show_values("OUTPUT", outputs)
