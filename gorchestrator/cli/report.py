"""What ``gorch demo`` says at the end: each graph with its nodes beside what was expected, and where to go on."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from gorchestrator.cli import tables
from gorchestrator.cli.examples import Example
from gorchestrator.cli.workplace import Workplace

Task = Mapping[str, Any]


def show(tasks: Sequence[Task], known: Mapping[str, Example]) -> bool:
    """Print each graph, and return whether one ended in another way than it has to.

    ``known``: which of the tasks, by id, is which example.
    """
    out = tables.console()
    wrong: list[str] = []
    for task in tasks:
        example = known.get(task["id"])
        _show_graph(out, task, example)
        if example:
            wrong += [f"{example.file}: {line}" for line in example.differences(task)]
    for line in wrong:
        click.echo(f"NOT AS EXPECTED {line}")
    if not wrong:
        click.echo(f"\nAll {len(tasks)} graphs ended as they have to.")
    return bool(wrong)


def show_addresses(url: str, executor: str, place: Workplace) -> None:
    """Print where the services are, and what to try."""
    certs = place.certs
    click.echo(f"""
API        {url}/v1/tasks
API docs   {url}/apidocs/
Executor   {executor}/apidocs/ (wants a certificate; see below)
Data, logs {place.root}

Try        gorch --url {url} list
           cd {certs} && curl --cacert ca.pem --cert orchestrator.pem --key orchestrator.key {executor}/v1/ping
Stop       Ctrl-C""")


def _show_graph(out: Console, task: Task, example: Example | None) -> None:
    label = tables.state_of(task).label
    title = Text.assemble("\n", tables.text(tables.title_of(task), "bold"), "  ", tables.state_text(label))
    out.print(Text.assemble(title, f"  {tables.duration(task)}", f"  ({example.file})" if example else ""))
    table = tables.new_table("NODE", "STATE", "EXPECTED", "DURATION", "OUTPUT", "REASON")
    for node in task["nodes"]:
        seen = tables.state_of(node)
        table.add_row(
            tables.text(node["name"]),
            tables.state_text(seen.label),
            _expected(example, node),
            tables.duration(node),
            tables.text(tables.outputs(node)),
            tables.text(_first_line(node.get("reason"))),
        )
    out.print(table)


def _expected(example: Example | None, node: Task) -> Text:
    if example is None or node["name"] not in example.nodes:
        return Text("")
    expected = example.nodes[node["name"]]
    same = expected == node["state"]
    return Text(f"{expected.label} {'✓' if same else '✗'}", "green" if same else "red")


def _first_line(reason: str | None) -> str:
    lines = (reason or "").strip().splitlines()
    return lines[0] if lines else ""
