"""The command against the two real services."""

import json

import pytest

from gorchestrator.cli import examples
from support import ROOT, run_gorch, wait_until

STATUS = {3: 0, 4: 1}


@pytest.fixture
def gorch(service):
    """Run a command with the service's URL in its environment."""

    def run(*arguments, **options):
        return run_gorch(*arguments, env={"GORCH_URL": service.url}, **options)

    return run


def gorch_of(*nodes, name="mine"):
    return json.dumps({"name": name, "nodes": list(nodes)})


SLEEPER = {"name": "sleeper", "engine": "shell", "artifact": "sleep", "args": ["600"]}
FAILING = {"name": "bad", "engine": "shell", "artifact": "#!/bin/sh\necho oops; exit 7\n"}


@pytest.mark.parametrize("example", examples.load(), ids=lambda each: each.file)
def test_an_example_ends_as_it_has_to(gorch, example):
    done = gorch("submit", ROOT / "examples" / example.file, "--watch", "--json")
    task = json.loads(done.stdout)
    assert list(example.differences(task)) == []
    assert done.returncode == STATUS[example.state]


def test_submit_prints_the_id_and_watch_stays_until_the_end(gorch):
    done = gorch("submit", "-", stdin=gorch_of({"name": "a", "engine": "sleep", "args": ["0.3"]}))
    task = done.stdout.strip()
    assert len(task) == 32
    watched = gorch("watch", task)
    assert watched.returncode == 0
    assert "mine: success, 1 of 1 nodes done" in watched.stderr
    assert watched.stdout.startswith("mine  success")
    listed = gorch("list").stdout
    assert listed.splitlines()[0].split() == ["ID", "NAME", "STATE", "STARTED", "DURATION"]
    assert listed.splitlines()[1].split()[:3] == [task, "mine", "success"]
    assert json.loads(gorch("--json", "list").stdout)["tasks"][0]["id"] == task


def test_a_failed_graph_is_status_1_and_shows_why(gorch):
    done = gorch("submit", "-", "--watch", stdin=gorch_of(FAILING, {"name": "next", "needs": ["bad"], "engine": "nil"}))
    assert done.returncode == 1
    assert "exit status 7" in done.stdout
    assert "notrunnable" in done.stdout
    task = done.stderr.split()[0]
    assert gorch("show", task).returncode == 1
    assert gorch("watch", task, "--json").returncode == 1
    assert gorch("logs", task, "bad").stdout == "oops\n"
    every = gorch("logs", task)
    assert (every.stdout, every.stderr) == ("oops\n", "── bad\n")
    assert json.loads(gorch("logs", task, "0", "--json").stdout)["log"] == "oops\n"
    assert gorch("logs", task, "bad", "--attempt", "1").stdout == "oops\n"


def test_a_log_is_followed_while_the_node_runs(gorch):
    script = "#!/bin/sh\nfor i in 1 2 3; do echo line $i; sleep 0.2; done\n"
    task = gorch("submit", "-", stdin=gorch_of({"name": "slow", "engine": "shell", "artifact": script})).stdout.strip()
    wait_until(lambda: "line 1" in gorch("logs", task, "slow").stdout, what="the first line")
    assert gorch("logs", task, "slow", "--follow").stdout == "line 1\nline 2\nline 3\n"


def test_cancel_waits_until_everything_is_dead(gorch):
    task = gorch("submit", "-", stdin=gorch_of(SLEEPER)).stdout.strip()
    wait_until(lambda: json.loads(gorch("show", task, "--json").stdout)["nodes"][0]["state"] == 2, what="running")
    done = gorch("cancel", task, "--wait")
    assert (done.returncode, done.stdout) == (0, "canceled\n")
    assert gorch("show", task).returncode == 1
    assert gorch("cancel", task).stdout == "canceled\n"


def test_cancel_of_what_has_ended_changes_nothing(gorch):
    done = gorch("submit", "-", "--watch", "--json", stdin=gorch_of({"name": "a"}))
    task = json.loads(done.stdout)["id"]
    assert gorch("cancel", task).stdout == "It had ended already: success\n"


def test_refusals_are_status_2_with_every_fault(gorch):
    for command in ("submit", "validate"):
        done = gorch(command, "-", stdin='{"name": "x", "nodez": []}')
        assert done.returncode == 2
        assert "refused" in done.stderr
        assert "  /nodez: " in done.stderr
        assert "  /nodes: " in done.stderr
    assert gorch("submit", "-", stdin="{").returncode == 2
    assert "Error: refused: There is no such task" in gorch("show", "0" * 32).stderr
    assert gorch("logs", "nosuch", "a").returncode == 2


def test_validate(gorch):
    shown = gorch("validate", ROOT / "examples/demo.json").stdout
    assert shown == "valid: 4 nodes, 4 edges; longest path: 3 nodes\n  executor takes it\n"
    assert json.loads(gorch("validate", "--json", ROOT / "examples/chain.json").stdout) == {
        "valid": True,
        "nodes": 40,
        "edges": 39,
        "layers": [[node] for node in range(40)],
        "critical_path": {"length": 40, "nodes": [*range(40)]},
        "executors": [{"name": "executor", "takes": True, "reason": None}],
    }


def test_why_and_rerun(gorch, service):
    good = {"name": "good", "engine": "shell", "artifact": "#!/bin/sh\necho v=1\n", "output": {"v": ""}}
    behind = {"name": "behind", "needs": ["bad"]}
    task = service.remote.submit(gorch_of(good, FAILING, behind))
    service.remote.wait(task)
    bad = gorch("why", task, "bad")
    assert bad.stdout == "bad is failure. exit status 7: oops\n  | oops\n"
    assert "It was not run: 'bad' (failure) did not succeed." in gorch("why", task, "behind").stdout

    preview = gorch("rerun", task, "--preview")
    assert preview.stdout == "runs: bad, behind\nreused: good\n"
    again = gorch("rerun", task)
    assert again.stderr == preview.stdout
    new = again.stdout.strip()
    shown = service.remote.wait(new)
    assert shown["rerun_of"] == task
    assert [node["reason_code"] for node in shown["nodes"]] == ["reused", "exit", "predecessor"]
    refused = gorch("rerun", new, "nobody")
    assert refused.returncode == 2
    assert "no node 'nobody'" in refused.stderr


def test_events_of_a_task_end_with_it(gorch, service):
    task = service.remote.submit(gorch_of(FAILING))
    service.remote.wait(task)
    lines = gorch("events", task).stdout.splitlines()
    kinds = ["task_accepted", "task_started", "node_running", "node_final", "task_final"]
    assert [line.split()[2] for line in lines] == kinds
    assert lines[3].endswith("node 0 attempt 1  failure  exit status 7: oops")
    found = [json.loads(line) for line in gorch("events", task, "--json").stdout.splitlines()]
    assert [event["kind"] for event in found] == kinds
    behind = gorch("events", task, "--after", found[2]["seq"], "--json").stdout.splitlines()
    assert [json.loads(line) for line in behind] == found[3:]
    assert gorch("events", task, "--after", found[-1]["seq"]).stdout == ""


def test_the_list_is_filtered_and_comes_page_by_page(gorch, service):
    ids = []
    for number in range(3):
        document = {"name": f"page {number}", "labels": {"pages": str(number)}, "nodes": [{"name": "a"}]}
        ids.append(service.remote.submit(document))
        service.remote.wait(ids[-1])
    options = ("list", "--label", "pages", "--state", "success,running", "--sort", "-name", "--limit", "2")
    page = gorch(*options)
    assert [line.split()[0] for line in page.stdout.splitlines()[1:]] == ids[:0:-1]
    option, cursor = page.stderr.split()[-2:]
    rest = json.loads(gorch("--json", *options, option, cursor).stdout)
    assert ([task["id"] for task in rest["tasks"]], rest["next"]) == (ids[:1], None)
    assert gorch("list", "--name", "no such name").stderr == "No task is like that.\n"
    assert gorch("list", "--state", "nonsense").returncode == 2


def test_ping_shows_the_executors(gorch, service):
    done = gorch("ping")
    assert done.returncode == 0
    assert f"at {service.url}: success" in done.stdout
    line = done.stdout.splitlines()[2].split()
    assert line[:3] == ["executor", service.executor.url, "yes"]
    assert "shell" in done.stdout
    assert json.loads(gorch("ping", "--json").stdout)["executors"][0]["reachable"] is True


def test_names_are_shown_as_text(gorch):
    done = gorch("submit", "-", "--watch", stdin=gorch_of({"name": "[red]a[/red]"}, name="[bold]x"))
    assert "[red]a[/red]" in done.stdout
    assert "[bold]x" in done.stdout
