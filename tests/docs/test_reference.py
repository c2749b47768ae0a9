"""What programs can see is documented, and what is documented is there: routes, states, codes, keys, events, commands.

Each is a table in a document, compared with the code in both directions.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from docutils import nodes

from docs_support import doctree
from executor import refusals, web
from gorchestrator.api import errors, guard
from gorchestrator.api import gorch as shapes
from gorchestrator.cli import entry
from gorchestrator.common import wire
from gorchestrator.common.http import problems
from gorchestrator.common.logs import PLAIN_EVENT
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.records import Kind
from support import ROOT, clean_environment

ACCESS, API, EXECUTOR, GORCH, OPERATIONS, WEB = (
    ROOT / "docs" / f"{name}.rst" for name in ("access", "api", "executor", "gorch", "operations", "web")
)
FROM_WERKZEUG = {"not-found": 404, "method-not-allowed": 405}
# An executor has no thread without which it is dead.
OF_ORCHESTRATORS_ONLY = {"not-alive"}


def section(document: Path, title: str) -> nodes.section:
    for found in doctree(document).findall(nodes.section):
        if found.next_node(nodes.title).astext() == title:
            return found
    raise AssertionError(f"no section {title}")


def rows(document: Path, title: str, columns: str) -> list[list[nodes.entry]]:
    """Return the rows of the table of a section whose first column has this header."""
    for table in section(document, title).findall(nodes.table):
        first, *rest = [list(row.findall(nodes.entry)) for row in table.findall(nodes.row)]
        if first[0].astext() == columns:
            return rest
    raise AssertionError(f"no table {columns} in {title}")


def keys(document: Path, title: str, column: str) -> list[str]:
    """Return the literals of the first column of a table."""
    return [row[0].next_node(nodes.literal).astext() for row in rows(document, title, column)]


def pairs(document: Path, title: str, column: str) -> dict[str, str]:
    """Return the literals of the first column, each with the text of the second one."""
    return {row[0].next_node(nodes.literal).astext(): row[1].astext() for row in rows(document, title, column)}


# -- routes

ROUTES = """
from gevent import monkey
monkey.patch_all()
import json, os, sys
from pathlib import Path
from {package}.app import create_app
from {package}.config import Config
app = create_app(Config(data=Path(sys.argv[1]), log_level="error"))
rules = [(rule.endpoint, rule.rule, sorted(rule.methods)) for rule in app.url_map.iter_rules()]
print(json.dumps(rules), flush=True)
os._exit(0)
"""


def routes(package: str, data: Path) -> dict[str, str]:
    """Return methods and paths of a service's URL map with their endpoints, without what only its own pages ask for."""
    code = ROUTES.format(package=package)
    done = subprocess.run(
        [sys.executable, "-c", code, str(data)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    rules = json.loads(done.stdout.splitlines()[-1])
    shown = [rule for rule in rules if not re.search("static|oauth|<lambda>", rule[0])]
    return {
        f"{method} {same(rule)}": endpoint
        for endpoint, rule, methods in shown
        for method in methods
        if method not in {"HEAD", "OPTIONS"}
    }


def same(path: str) -> str:
    """Return a path with its variables unnamed."""
    return re.sub(r"<[^>]*>|\{[^}]*\}", "*", path)


@pytest.mark.parametrize(
    ("document", "package"), [(API, "gorchestrator"), (EXECUTOR, "executor")], ids=["api", "executor"]
)
def test_every_route_is_documented(document, package, tmp_path):
    served = {route for route, endpoint in routes(package, tmp_path).items() if not endpoint.startswith("web.")}
    assert {same(route) for route in keys(document, "Routes", "Route")} == served


def test_every_page_is_documented(tmp_path):
    served = {route for route, name in routes("gorchestrator", tmp_path).items() if name.startswith("web.")}
    assert {f"GET {same(path)}" for path in keys(WEB, "Pages", "Page")} == served


def test_every_route_has_the_role_that_it_needs(tmp_path):
    served = {
        route: role.label if (role := guard.role_of(endpoint)) else "everybody"
        for route, endpoint in routes("gorchestrator", tmp_path).items()
        if not endpoint.startswith("web.")
    }
    assert {same(route): role for route, role in pairs(ACCESS, "Roles", "Route").items()} == served


# -- states, reasons, problems


def test_every_state_is_documented():
    assert pairs(API, "States", "Number") == {str(int(state)): state.label for state in State}
    final = {row[0].astext(): row[2].astext() for row in rows(API, "States", "Number")}
    assert final == {str(int(state)): "yes" if state.final else "no" for state in State}


def test_every_reason_code_is_documented():
    assert sorted(keys(API, "Reasons", "reason_code")) == sorted(ReasonCode)


def shared_problems() -> dict[str, int]:
    return {
        kind.type: kind.status for kind in problems.Problem.__subclasses__() if kind.__module__ == problems.__name__
    }


def test_every_problem_of_the_orchestrator_is_documented():
    known = shared_problems() | FROM_WERKZEUG | {code: status for code, (status, _) in errors._TITLES.items()}
    documented = {slug: int(status) for slug, status in pairs(API, "Problems", "Type").items()}
    assert documented == known


def test_every_problem_of_the_executor_is_documented():
    assert set(refusals.Refused.__subclasses__()) == web.STATUS.keys()
    own = {kind.code: int(status) for kind, status in web.STATUS.items()}
    own |= {kind.type: kind.status for kind in (web.CertificateRequired, web.CallerNotAllowed)}
    known = shared_problems() | FROM_WERKZEUG | own
    documented = {slug: int(status) for slug, status in pairs(EXECUTOR, "Problems", "Type").items()}
    assert documented == {slug: status for slug, status in known.items() if slug not in OF_ORCHESTRATORS_ONLY}


# -- documents that clients send


def test_every_key_of_a_gorch_is_documented():
    assert sorted(keys(GORCH, "Keys of the graph", "Key")) == sorted(shapes.GorchSchema().fields)
    assert sorted(keys(GORCH, "Keys of a node", "Key")) == sorted(shapes.NodeSchema().fields)
    reserved = [literal.astext() for literal in section(GORCH, "Reserved keys").findall(nodes.literal)]
    assert sorted(set(reserved) - {"is not supported yet"}) == sorted(shapes._RESERVED)


def test_every_key_that_an_executor_takes_is_documented():
    assert sorted(keys(EXECUTOR, "Routes", "Key")) == sorted(wire.AttemptSchema().fields)
    ignored = {name for name, field in wire.NodeSchema().fields.items() if field.load_only}
    assert wire.NodeSchema().fields.keys() - ignored == wire.AttemptSchema().fields.keys() - {"fence", "instance"}
    text = section(EXECUTOR, "Routes").astext()
    assert all(name in text for name in ignored)


def test_the_limits_are_those_of_the_code():
    graph, node, outputs = (
        section(GORCH, title).astext() for title in ("Keys of the graph", "Keys of a node", "Outputs")
    )
    assert str(shapes.NAME_LENGTH) in graph
    for limit in (shapes.NAME_LENGTH, shapes.ARTIFACT_LENGTH, shapes.ARGUMENT_LENGTH, shapes.LIST_LENGTH):
        assert f"{limit} " in node
    assert str(wire.VALUE_LIMIT) in outputs
    assert str(wire.OUTPUT_LIMIT) in outputs
    assert str(wire.RECEIPTS_LIMIT) in section(EXECUTOR, "Routes").astext()


# -- the command


def commands(group: click.Group, before: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, f"{before} {name}")
        else:
            yield f"{before} {name}"


def test_every_command_is_documented():
    documented = keys(OPERATIONS, "The command", "Command")
    assert [re.sub(r" \[?[A-Z].*", "", command) for command in documented] == list(commands(entry.gorch, "gorch"))


# -- events of the logs


def emitted() -> dict[str, set[str]]:
    """Return the events in the code: those of literal dicts, and the kinds that a run logs as they are."""
    found: dict[str, set[str]] = {PLAIN_EVENT: {"both"}}
    for path in [*ROOT.glob("gorchestrator/**/*.py"), *ROOT.glob("executor/**/*.py")]:
        own = "executor" if path.is_relative_to(ROOT / "executor") else "orchestrator"
        service = "both" if path.is_relative_to(ROOT / "gorchestrator" / "common") else own
        for value in events_of(ast.parse(path.read_text("utf-8"))):
            found.setdefault(value, set()).add(service)
    return found


def events_of(tree: ast.Module) -> Iterator[str]:
    for item in ast.walk(tree):
        if isinstance(item, ast.Dict):
            for key, value in zip(item.keys, item.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "event":
                    yield from (
                        [value.value] if isinstance(value, ast.Constant) else logged_kinds(tree, ast.unparse(value))
                    )


def logged_kinds(tree: ast.Module, expression: str) -> Iterator[str]:
    """Yield the kinds that the function whose events are ``kind.value`` is called with."""
    assert expression == "kind.value"
    for item in ast.walk(tree):
        if isinstance(item, ast.Call) and ast.unparse(item.func) == "self.set_task":
            yield Kind[item.args[0].attr].value


def test_every_event_of_the_logs_is_documented():
    documented = pairs(OPERATIONS, "Logs", "Event")
    assert {event: {service} for event, service in documented.items()} == emitted()


# -- the documents themselves


def test_every_document_is_linked_from_the_readme():
    readme = (ROOT / "README.rst").read_text("utf-8")
    assert [path.name for path in ROOT.glob("docs/*.rst") if f"<docs/{path.name}>`_" not in readme] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("docs/*.rst")), ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    targets = [link["refuri"] for link in doctree(path).findall(nodes.reference) if "refuri" in link]
    assert [target for target in targets if ":" not in target and not (path.parent / target).is_file()] == []
