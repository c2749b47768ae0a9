"""``gorch dot`` of a file, for which no service is needed."""

import json
import os
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from gorchestrator.cli import dot
from gorchestrator.cli.entry import gorch
from support import ROOT, run_gorch

NEEDS = {"name": "g", "nodes": [{"name": "a", "state": 3}, {"name": "b", "needs": ["a"], "state": "failure"}]}
DIGRAPH = {"digraph": [0, 0, 1, 0], "nodes": [{"id": 1, "name": "a"}, {"id": 0, "name": "b"}]}
FAULTY = {"nodes": [{"name": "a", "arg": []}, {"name": "a", "needs": ["x"]}, {"name": "c", "engine": 5}]}


@pytest.fixture
def run(monkeypatch):
    """Run the command in this process, with a service in the environment that nobody is to ask."""
    for name in list(os.environ):
        if name.startswith("GORCH_"):
            monkeypatch.delenv(name)

    def invoke(*arguments, gorch_file=None):
        text = None if gorch_file is None else json.dumps(gorch_file)
        env = {"GORCH_URL": "http://127.0.0.1:9"}
        return CliRunner().invoke(gorch, ["dot", *map(str, arguments)], input=text, env=env, prog_name="gorch")

    return invoke


def test_a_file_and_standard_input_say_the_same(run, tmp_path):
    path = tmp_path / "g.json"
    path.write_text(json.dumps(NEEDS))
    done = run(path)
    assert done.exit_code == 0
    assert "  {n0} -> n1;" in done.output
    assert "success" not in done.output
    assert run("-", gorch_file=NEEDS).output == done.output


def test_the_edges_of_a_matrix_are_those_of_its_ids(run):
    done = run("-", gorch_file=DIGRAPH)
    assert 'n0 [label="b|nil"' in done.output
    assert "  {n1} -> n0;" in done.output


def test_states_of_a_file_are_shown_when_they_are_asked_for(run):
    done = run("-", "--state", gorch_file=NEEDS)
    assert "a|nil|✓\\ success" in done.output
    assert "b|nil|✕\\ failure" in done.output
    unknown = run("-", "--state", gorch_file={"nodes": [{"name": "a", "state": 7}, {"name": "b", "state": True}]})
    assert unknown.exit_code == 2
    assert "/nodes/0/state: '7' is no state" in unknown.stderr
    assert "/nodes/1/state: 'True' is no state" in unknown.stderr


def test_all_faults_are_told(run):
    done = run("-", gorch_file=FAULTY)
    assert done.exit_code == 2
    assert done.stdout == ""
    first, *faults = done.stderr.splitlines()
    assert first == "Error: The gorch has 4 faults"
    assert [fault.split(":")[0].strip() for fault in faults] == [
        "/nodes/0/arg",
        "/nodes/2/engine",
        "/nodes/1/name",
        "/nodes/1/needs/0",
    ]


@pytest.mark.parametrize(
    ("text", "says"), [("", "is empty"), ('{"a": 1, "a": 2}', "occurs twice"), ("[]", "/: must be an object")]
)
def test_what_is_no_gorch_is_told(tmp_path, run, text, says):
    path = tmp_path / "g.json"
    path.write_text(text)
    done = run(path)
    assert done.exit_code == 2
    assert says in done.stderr


def test_it_is_written_to_a_file(run, tmp_path):
    out = tmp_path / "g.gv"
    done = run("-", "-o", out, gorch_file=NEEDS)
    assert (done.exit_code, done.output) == (0, "")
    assert out.read_text("utf-8") == run("-", gorch_file=NEEDS).output
    refused = run("-", "-o", tmp_path / "no" / "g.gv", gorch_file=NEEDS)
    assert refused.exit_code == 2
    assert "No such file or directory" in refused.stderr


@pytest.mark.parametrize("arguments", [[], ["-", "--task", "x"], ["/no/such/file"]])
def test_wrong_use_is_status_2(run, arguments):
    assert run(*arguments).exit_code == 2


def test_the_svg_needs_neither_graphviz_nor_a_service(run):
    done = run("-", "--svg", "--state", gorch_file=NEEDS)
    assert done.exit_code == 0
    root = ET.fromstring(done.stdout_bytes)
    assert [group.get("class") for group in root.findall("{http://www.w3.org/2000/svg}g")] == [
        "node success",
        "node failure",
    ]


@pytest.mark.parametrize("example", sorted(path.name for path in ROOT.glob("examples/*.json")))
def test_every_example_is_drawn(run, example):
    if example != "expected.json":
        for option in ([], ["--svg"]):
            assert run(ROOT / "examples" / example, *option).exit_code == 0


def test_what_cannot_be_placed_is_told(run, monkeypatch):
    monkeypatch.setattr(dot, "_DRAWER", "no_such_module")
    done = run("-", "--svg", gorch_file=NEEDS)
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: the graph cannot be drawn here")


def test_text_is_utf_8_in_any_language_of_the_terminal():
    done = run_gorch("dot", "-", stdin=json.dumps({"nodes": [{"name": "漢"}]}), env={"LC_ALL": "C", "PYTHONUTF8": "0"})
    assert 'label="漢|nil"' in done.stdout
