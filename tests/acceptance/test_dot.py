"""``gorch dot --task`` against the two real services: the states, edges and places are those of the service."""

import json
import xml.etree.ElementTree as ET

import pytest

from support import run_gorch

SVG = "{http://www.w3.org/2000/svg}"
NODES = [
    {"name": "bad", "id": 0, "engine": "shell", "artifact": "false", "target": "executor"},
    {"name": "beside", "id": 1},
    {"name": "after", "id": 2},
]
GORCHS = {
    "needs": {"name": "mine", "nodes": [*NODES[:2], NODES[2] | {"needs": ["bad", "beside"]}]},
    "digraph": {"name": "mine", "nodes": NODES, "digraph": [0, 0, 1, 0, 0, 1, 0, 0, 0]},
}


@pytest.fixture(scope="module", params=GORCHS.values(), ids=list(GORCHS))
def task(request, service):
    """Return the id of a task that has ended, with edges in either form."""
    id_ = service.remote.submit(request.param)
    service.remote.wait(id_)
    return id_


def test_a_task_is_drawn_with_its_states(service, task):
    done = run_gorch("dot", "--task", task, "--url", service.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert r'n0 [label="bad|shell|false|@executor|✕\ failure"' in done.stdout
    assert r'n1 [label="beside|nil|✓\ success"' in done.stdout
    assert r'n2 [label="after|nil|⊘\ notrunnable"' in done.stdout
    assert "  {n0 n1} -> n2;" in done.stdout
    without = run_gorch("dot", "--task", task, "--no-state", env={"GORCH_URL": service.url})
    assert r'n0 [label="bad|shell|false|@executor"' in without.stdout


def test_the_svg_of_a_task_is_what_its_page_shows(service, task, tmp_path):
    out = tmp_path / "task.svg"
    done = run_gorch("dot", "--task", task, "--svg", "-o", out, env={"GORCH_URL": service.url})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    root = ET.fromstring(out.read_bytes())
    layout = service.remote.layout(task)
    lines = [[int(at) for at in path.get("d")[1:].split()] for path in root.findall(f"{SVG}path[@class='edge']")]
    assert lines == [points for _, _, points in layout["edges"]]
    assert len(lines) == 2
    assert [group.get("class") for group in root.findall(f"{SVG}g")] == [
        "node failure",
        "node success",
        "node notrunnable",
    ]


def test_a_task_that_is_not_there_is_told(service):
    done = run_gorch("dot", "--task", "0" * 32, "--url", service.url)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: refused: There is no such task")


def test_a_file_is_refused_as_the_service_refuses_it(service):
    gorch = json.dumps({"nodes": [{"name": "a", "needs": ["b"]}, {"name": "b", "needs": ["a"], "arg": 1}]})
    here, there = (
        run_gorch(*command, "-", env={"GORCH_URL": service.url}, stdin=gorch) for command in (["dot"], ["validate"])
    )
    assert (here.returncode, there.returncode) == (2, 2)
    assert here.stderr.splitlines()[1:] == there.stderr.splitlines()[1:]
