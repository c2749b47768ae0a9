"""The tables of metrics are those of the code, and the dashboard and the alerts ask for nothing else."""

import json
import re
import shutil
import subprocess

import pytest
import yaml
from docutils import nodes

from docs_support import doctree
from executor import measures as of_executor
from gorchestrator.common.metrics.definitions import Kind
from gorchestrator.domain import measures as of_orchestrator
from support import ROOT

DOCUMENT = ROOT / "docs" / "monitoring.rst"
FOLDER = ROOT / "examples/monitoring"
SERVICES = {"Metrics of the orchestrator": of_orchestrator, "Metrics of an executor": of_executor}
METRICS = {metric.name: metric for of in SERVICES.values() for metric in of.METRICS}


def documented(title):
    (section,) = [
        each for each in doctree(DOCUMENT).findall(nodes.section) if each.next_node(nodes.title).astext() == title
    ]
    rows = list(section.next_node(nodes.table).findall(nodes.row))[1:]
    return [tuple(cell.astext() for cell in row.findall(nodes.entry)) for row in rows]


@pytest.mark.parametrize("title", SERVICES)
def test_every_metric_is_documented(title):
    known = [(each.name, str(each.kind), ", ".join(each.labels), each.help) for each in SERVICES[title].METRICS]
    assert documented(title) == known


def test_what_both_services_have_means_the_same():
    for name in {each.name for each in of_orchestrator.METRICS} & {each.name for each in of_executor.METRICS}:
        assert {of.METRICS[[each.name for each in of.METRICS].index(name)] for of in SERVICES.values()} == {
            METRICS[name]
        }


def samples():
    """Return the names of all samples, each with its labels."""
    found = {}
    for metric in METRICS.values():
        labels = {*metric.labels, "job", "instance"}
        if metric.kind is Kind.HISTOGRAM:
            found |= {f"{metric.name}_bucket": labels | {"le"}, f"{metric.name}_sum": labels}
            found[f"{metric.name}_count"] = labels
        else:
            found[metric.name] = labels
    return found


def is_answerable(expression):
    """Fail unless an expression of PromQL names only samples and labels that there are."""
    known = samples()
    named = set(re.findall(r"\bgorch_\w+", expression))
    assert named, f"no metric in {expression}"
    assert named <= known.keys()
    labels = set().union(*(known[name] for name in named))
    used = [each for group in re.findall(r"(?:by|on|without) *\(([^)]*)\)", expression) for each in group.split(",")]
    used += re.findall(r"(\w+) *(?:=~|!=|!~|=)\s*\"", expression)
    assert {each.strip() for each in used if each.strip()} <= labels
    assert expression.count("(") == expression.count(")")


def rules():
    groups = yaml.safe_load((FOLDER / "alerts.yaml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_there_is_and_says_what_to_do(rule):
    is_answerable(rule["expr"])
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() == {"summary", "description"}
    asked = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    kept = set().union(*(samples()[name] for name in re.findall(r"\bgorch_\w+", rule["expr"])))
    assert asked <= kept


def test_prometheus_itself_takes_the_rules():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool")
    command = [promtool, "check", "rules", str(FOLDER / "alerts.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def panels():
    return [each for each in json.loads((FOLDER / "dashboard.json").read_text("utf-8"))["panels"] if "targets" in each]


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_panel_asks_for_what_there_is(panel):
    for target in panel["targets"]:
        is_answerable(target["expr"].replace("$__rate_interval", "5m").replace("$job", "gorchestrator"))


def test_the_dashboard_can_be_imported():
    board = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
    shown = board["panels"]
    assert len({each["id"] for each in shown}) == len(shown)
    taken = [
        {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        for at in (each["gridPos"] for each in shown)
    ]
    assert sum(map(len, taken)) == len(set().union(*taken)), "panels lie on each other"
    assert all(each["datasource"] == {"type": "prometheus", "uid": "${source}"} for each in panels())
    assert [each["name"] for each in board["templating"]["list"]] == ["source"]
