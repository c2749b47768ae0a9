"""``gorch dot``: a picture of a gorch or of a task, as Graphviz text or as an SVG. A file needs no service for it."""

import json
import subprocess
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gorchestrator.cli.client import Address, connected, fault_lines, service_options
from gorchestrator.cli.failure import Failure
from gorchestrator.cli.graphs import Picture, of_gorch, of_task
from gorchestrator.cli.output import OUT, write
from gorchestrator.common import serving
from gorchestrator.domain.errors import InvalidGorch

_DRAWER = "gorchestrator.web.layout"
_TIMEOUT = 30.0  # seconds in which a graph is placed; it is placed in a simple way else


@click.command()
@click.argument("file", metavar="[FILE]", required=False, type=click.File("rb"))
@click.option("--task", metavar="TASK", help="A task of the service instead of a FILE.")
@click.option("--state/--no-state", default=None, help="Show the states of the nodes; by default of a task only.")
@click.option("--svg", "as_svg", is_flag=True, help="An SVG, drawn without Graphviz.")
@click.option("--output", "-o", type=OUT, help="Write it there.")
@service_options
def dot(
    file: Any,
    task: str | None,
    state: bool | None,
    as_svg: bool,
    output: Path | None,
    address: Address,
) -> None:
    """Draw the gorch in FILE (- is standard input), or a task: gorch dot FILE | dot -Tsvg."""
    if (file is None) is (task is None):
        raise click.UsageError("Give either a FILE or --task TASK.")
    from gorchestrator.dot import graphviz, svg  # noqa: PLC0415  (--help does without)

    if task is None:
        picture = _from_file(file, with_states=bool(state))
        layout = _layout([node.needs for node in picture.graph.nodes]) if as_svg else {}
    else:
        with connected(address) as remote:
            picture = of_task(remote.task(task, digraph=True), with_states=state is not False)
            layout = remote.layout(task) if as_svg else {}
    if not as_svg:
        write("".join(f"{line}\n" for line in graphviz(picture.graph, picture.states)), output)
        return
    if layout["omitted"]:
        click.echo(f"{layout['omitted']} edges are left out, the longest ones: there are too many to be seen", err=True)
    write("".join(f"{line}\n" for line in svg(picture.graph, layout, picture.states)), output)


def _from_file(file: Any, *, with_states: bool) -> Picture:
    try:
        return of_gorch(file.read(), with_states=with_states)
    except OSError as error:
        raise Failure(f"the gorch cannot be read: {error.strerror}") from error
    except InvalidGorch as error:
        lines = fault_lines([(fault.pointer, fault.detail) for fault in error.faults])
        raise Failure(error.detail.removesuffix("; see errors."), lines) from error


def _layout(needs: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return how a graph is drawn, as the service has it done: in a process of its own, whose faults are its own."""
    graph = json.dumps({"size": len(needs), "needs": needs}).encode()
    for arguments in ((), ("simple",)):
        command, environment = serving.python(_DRAWER, *arguments)
        try:
            done = subprocess.run(
                command, env=environment, input=graph, capture_output=True, timeout=_TIMEOUT, check=False
            )
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(zlib.decompress(done.stdout))
            return found
    raise Failure("the graph cannot be drawn here: it takes too long, or too much room; Graphviz may be able to")
