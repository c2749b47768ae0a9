"""Tables on standard output: tasks, nodes, executors, settings. What others named is shown as text, never as markup."""

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gorchestrator.common.expiry import WARNING, day, in_words
from gorchestrator.common.states import State
from gorchestrator.common.text import printable
from gorchestrator.common.timestamps import from_wire

Json = Mapping[str, Any]
STYLES = {"success": "green", "running": "cyan", "initial": "dim", "torun": "dim", "skipped": "dim"}
BAD = "red"  # of every other state
WIDE = 400  # columns where there is no terminal, so that nothing is cut
VALUE = 80  # characters shown of an output, which may have 64 KiB; --json has all of it


def console(stderr: bool = False) -> Console:
    """Return a console that cuts nothing when it writes to a file or a pipe."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, markup=False, width=None if stream.isatty() else WIDE)


def text(value: object, style: str = "") -> Text:
    """Return a value as plain text."""
    return Text("" if value is None else printable(str(value)), style=style)


def state_text(label: str) -> Text:
    """Return the name of a state in its colour."""
    return Text(label, style=STYLES.get(label, BAD))


def state_of(item: Json) -> State:
    """Return the state of a task or of a node, as the API gives it."""
    return State(item["state"])


def new_table(*headers: str, title: str | None = None) -> Table:
    """Return an empty table without lines."""
    table = Table(
        box=None, pad_edge=False, title=Text(title) if title else None, title_justify="left", padding=(0, 2, 0, 0)
    )
    for header in headers:
        table.add_column(header, overflow="fold", header_style="bold")
    return table


def duration(item: Json) -> str:
    """Return how long a task or a node has run, up to now if it has not ended."""
    started, stopped = from_wire(item.get("start_date")), from_wire(item.get("stop_date"))
    if started is None:
        return ""
    return seconds((stopped if stopped is not None else time.time()) - started)


def seconds(length: float) -> str:
    """Return a length of time for people: ``4 ms``, ``12.1 s``, ``3:05 min``, ``2:03:05 h``."""
    length = max(length, 0.0)
    if length < 1:
        return f"{length * 1000:.0f} ms"
    if length < 60:  # noqa: PLR2004
        return f"{length:.1f} s"
    minutes, rest = divmod(int(length), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"


def outputs(node: Json) -> str:
    """Return what a node output, as ``name=value, …``; long values are cut."""
    values = node.get("output") or {}
    return ", ".join(f"{name}={_cut(str(value))}" for name, value in values.items() if value not in {"", None})


def title_of(task: Json) -> str:
    """Return the name of a task, or the beginning of its id if it has none."""
    return printable(task["name"]) or str(task["id"])[:8]


def show_tasks(tasks: Sequence[Json]) -> None:
    """Print a list of tasks."""
    table = new_table("ID", "NAME", "STATE", "STARTED", "DURATION")
    for task in tasks:
        started = (task.get("start_date") or "")[:19].replace("T", " ")
        table.add_row(task["id"], text(task["name"]), state_text(task["state"]), started, duration(task))
    console().print(table)


def show_task(task: Json) -> None:
    """Print a task with its nodes."""
    state = state_of(task).label
    out = console()
    out.print(Text.assemble(text(task["name"], "bold"), "  ", state_text(state), f"  {duration(task)}  {task['id']}"))
    if task.get("reason"):
        out.print(text(task["reason"]))
    out.print(node_table(task["nodes"]))


def node_table(nodes: Iterable[Json]) -> Table:
    """Return a table of nodes."""
    table = new_table("NODE", "STATE", "DURATION", "TRY", "EXECUTOR", "EXIT", "OUTPUT", "REASON")
    for node in nodes:
        label = state_of(node).label
        table.add_row(
            text(node["name"]),
            state_text(label),
            duration(node),
            text(node.get("attempt") or ""),
            text(node.get("executor")),
            text(node.get("exit_code")),
            text(outputs(node)),
            text(node.get("reason")),
        )
    return table


def show_attempts(attempts: Iterable[Json]) -> None:
    """Print the attempts of a node."""
    table = new_table("TRY", "STATE", "STARTED", "DURATION", "EXECUTOR", "EXIT", "LOG", "REASON")
    for item in attempts:
        table.add_row(
            str(item["attempt"]),
            state_text(state_of(item).label),
            (item.get("start_date") or "")[:19].replace("T", " "),
            duration(item),
            text(item["executor"]),
            text(item.get("exit_code")),
            f"{item['log_size']} B",
            text(item.get("reason")),
        )
    console().print(table)


def show_executors(executors: Iterable[Json]) -> None:
    """Print the executors that an orchestrator knows."""
    table = new_table("EXECUTOR", "URL", "ANSWERS", "LOAD", "ENGINES", "CERTIFICATE ENDS", "REASON")
    now = time.time()
    for item in executors:
        answers = Text("yes", "green") if item.get("reachable") else Text("no", BAD)
        load = f"{item['load']}/{item['capacity']}" if item.get("capacity") is not None else ""
        engines = ", ".join(sorted(item.get("engines") or ()))
        ends = end_of(item.get("certificate"), now)
        table.add_row(
            text(item["name"]), text(item["url"]), answers, load, text(engines), ends, text(item.get("reason"))
        )
    console().print(table)


def show_own_certificates(certificates: Iterable[Json]) -> None:
    """Print until when the orchestrator's own certificates hold."""
    table = new_table("OWN CERTIFICATE", "SUBJECT", "ENDS")
    now = time.time()
    for item in certificates:
        table.add_row(text(item["kind"]), text(item["subject"]), end_of(item, now))
    if table.row_count:
        console().print(table)


def end(not_after: float, now: float) -> Text:
    """Return the end of a certificate as a date and in words, in colours when it is near."""
    style = BAD if not_after <= now else "yellow" if not_after - now < WARNING else ""
    return Text(f"{day(not_after)} ({in_words(not_after, now)})", style)


def end_of(certificate: Json | None, now: float) -> Text:
    """Return the end of a certificate as the API gives it; empty if it is not known."""
    not_after = from_wire((certificate or {}).get("not_after"))
    return Text("") if not_after is None else end(not_after, now)


def show_engines(executors: Iterable[Json]) -> None:
    """Print the engines of the executors that answer."""
    table = new_table("ENGINE", "EXECUTOR", "WORKS", "FIELDS", "REASON")
    found = [(name, each["name"], about) for each in executors for name, about in (each.get("engines") or {}).items()]
    for name, executor, about in sorted(found, key=lambda row: row[:2]):
        works = Text("yes", "green") if about.get("ok") else Text("no", BAD)
        fields = ", ".join(about.get("fields") or ())
        table.add_row(text(name), text(executor), works, text(fields), text(about.get("reason")))
    console().print(table)


def show_settings(settings: Iterable[Json]) -> None:
    """Print settings, their values and where they came from."""
    table = new_table("SETTING", "VALUE", "FROM", "MEANING")
    for item in settings:
        value = item["value"]
        shown = json.dumps(value) if isinstance(value, list | dict | bool) or value is None else str(value)
        meaning = f"{item['help']} ({item['unit']})" if item["unit"] else item["help"]
        style = "dim" if item["source"] == "default" else "green"
        table.add_row(text(item["name"]), text(shown), text(item["source"], style), text(meaning))
    console().print(table)


def show_tokens(tokens: Iterable[Json]) -> None:
    """Print what is kept of tokens."""
    table = new_table("ID", "NAME", "ROLE", "LABEL", "STATE", "MADE", "EXPIRES")
    for item in tokens:
        state = Text(item["state"], "green" if item["state"] == "valid" else "dim")
        dates = (text((item[key] or "")[:10]) for key in ("made", "expires"))
        table.add_row(text(item["id"]), text(item["name"]), text(item["role"]), text(item["label"]), state, *dates)
    console().print(table)


def show_audit(lines: Iterable[Json]) -> None:
    """Print lines of the audit."""
    table = new_table("LINE", "DATE", "ACTOR", "SOURCE", "ACTION", "SUBJECT", "DETAILS")
    for item in lines:
        details = ", ".join(f"{name}={value}" for name, value in item["details"].items())
        date = item["date"][:19].replace("T", " ")
        columns = (item["actor"], item["source"], item["action"], item["subject"], _cut(details))
        table.add_row(str(item["number"]), date, *map(text, columns))
    console().print(table)


def show_values(header: str, values: Mapping[str, Any]) -> None:
    """Print values by their names, whole; what is no text as JSON."""
    table = new_table(header, "VALUE")
    for name, value in values.items():
        table.add_row(text(name), text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    console().print(table)


def _cut(value: str) -> str:
    return value if len(value) <= VALUE else value[: VALUE - 1] + "…"
