"""How graphs run, as their client sees it. The engines nil and sleep need no executor; the one there is is down."""

import re
import time

import pytest

from api_support import nodes, states

SUCCESS, FAILURE, NOTRUNNABLE, CANCELED = 3, 4, 5, 11
TORUN, RUNNING = 1, 2


def sleep(name, *args, **fields):
    return {"name": name, "engine": "sleep", "args": list(args), **fields}


def run(api, *listed, **fields):
    return api.end(api.submit({"nodes": list(listed), **fields}))


# -- the order


def test_every_node_starts_when_all_before_it_have_stopped(api):
    task = run(
        api,
        sleep("top", "0.05"),
        sleep("left", "0.1", needs=["top"]),
        sleep("right", "0.05", needs=["top"]),
        sleep("bottom", "0", needs=["left", "right"]),
    )
    assert task["state"] == SUCCESS
    found = nodes(task)
    for node in found.values():
        assert (node["state"], node["reason"], node["reason_code"]) == (SUCCESS, None, None)
        assert task["accepted_date"] <= task["start_date"] <= node["start_date"] <= node["stop_date"]
        assert node["stop_date"] <= task["stop_date"]
        for before in node["needs"]:
            assert task["nodes"][before]["stop_date"] <= node["start_date"]
    assert found["bottom"]["needs"] == [1, 2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", task["start_date"])


def test_nodes_that_do_not_wait_for_each_other_run_at_the_same_time(api):
    started = time.monotonic()
    task = run(api, *[sleep(str(number), "0.5") for number in range(40)])
    assert task["state"] == SUCCESS
    assert time.monotonic() - started < 10  # one after the other they take 20 seconds


def test_a_chain_of_a_thousand_nodes_ends(api):
    task = run(api, *[{"name": str(number), "needs": [number - 1] if number else []} for number in range(1000)])
    assert {node["state"] for node in task["nodes"]} == {SUCCESS}


def test_the_document_of_the_go_project_runs_unchanged(api):
    """Its shape: ids and states are there and ignored, args and outputs are null, any cell but 0 is an edge."""
    cells = [
        *[0, 1, 0, 0, 1, 0, 0, 0],
        *[0, 0, 0, 0, 0, 0, 7, 0],
        *[0, 0, 0, 0, 0, 0, 0, 0],
        *[0, 0, 1, 0, 0, 0, -1, 0],
        *[0, 0, 0, 0, 0, 0, 0, 0],
        *[1, 1, 1, 0, 0, 0, 0, 0],
        *[0, 0, 0, 0, 0, 0, 0, 0],
        *[0, 0, 0, 0, 0, 0, 1, 0],
    ]
    listed = [
        {
            "id": number,
            "state": 0,
            "name": name,
            "target": "test",
            "engine": engine,
            "artifact": "./script.sh" if engine else "",
            "args": None,
            "output": None,
            "graph_id": "00000000-0000-0000-0000-000000000000",
        }
        for number, (name, engine) in enumerate(zip("abcdefgh", ["nil", "sleep"] * 3 + ["", "nil"], strict=True))
    ]
    listed[1]["output"] = {"output1": ""}
    listed[2] |= {"engine": "sleep", "args": ["get_attribute d:result"], "output": {"my_ip": ""}}
    listed[3] |= {"args": ["0.02"], "output": {"result": "", "ip_address": ""}}
    document = {"name": "Valid", "id": "some-id", "state": 0, "digraph": cells, "nodes": listed}
    task = api.end(api.submit(document))
    assert (task["name"], task["state"], task["digraph"]) == ("Valid", SUCCESS, cells)
    assert task["id"] != "some-id"
    assert set(states(task).values()) == {SUCCESS}
    assert nodes(task)["g"]["engine"] == "nil"
    assert nodes(task)["d"]["output"] == {"result": "0.020", "ip_address": ""}
    assert nodes(task)["c"]["output"] == {"result": "0.020", "my_ip": ""}
    after = [(row, column) for row in range(8) for column in range(8) if cells[row * 8 + column]]
    assert all(task["nodes"][row]["stop_date"] <= task["nodes"][column]["start_date"] for row, column in after)


# -- what does not succeed


def test_behind_a_failure_nothing_runs_and_beside_it_everything_does(api):
    task = run(
        api,
        sleep("bad", "soon"),
        sleep("next", needs=["bad"]),
        {"name": "last", "needs": ["next", "beside"]},
        sleep("beside", "0.1"),
        {"name": "end", "needs": ["beside"]},
    )
    assert states(task) == {"bad": FAILURE, "next": NOTRUNNABLE, "last": NOTRUNNABLE, "beside": SUCCESS, "end": SUCCESS}
    assert (task["state"], task["reason_code"]) == (FAILURE, "nodes")
    assert task["reason"] == "1 node ended in failure (bad); 2 nodes ended in notrunnable (next, last)"
    found = nodes(task)
    assert (found["next"]["reason_code"], found["next"]["reason"]) == (
        "predecessor",
        "predecessor 'bad' ended in failure",
    )
    assert (found["next"]["start_date"], found["next"]["attempt"]) == (None, 0)
    assert found["last"]["reason"] == "predecessor 'next' ended in notrunnable"


@pytest.mark.parametrize("given", ["soon", "-1", "nan", "inf", "-inf", "", "1s", "0x10", "\ud83d\ude34", "9" * 5000])
def test_sleep_refuses_what_is_no_number_of_seconds(api, given):
    node = nodes(run(api, sleep("a", given)))["a"]
    assert (node["state"], node["reason_code"]) == (FAILURE, "argument")
    assert "takes a number of seconds" in node["reason"]
    assert len(node["reason"]) < 300


@pytest.mark.parametrize(("given", "result"), [("0", "0.000"), ("0.05", "0.050"), ("1e-3", "0.001")])
def test_sleep_takes_seconds_and_says_how_long_it_slept(api, given, result):
    assert nodes(run(api, sleep("a", given, "ignored")))["a"]["output"] == {"result": result}


def test_sleep_without_an_argument_takes_up_to_a_second(api):
    for args in ([], None):
        node = nodes(run(api, {"name": "a", "engine": "sleep", "args": args}))["a"]
        assert node["state"] == SUCCESS
        assert 0 <= float(node["output"]["result"]) <= 1


# -- references


def test_a_reference_is_the_output_of_an_ancestor(api):
    task = run(
        api,
        sleep("first", "0.01"),
        {"name": "between", "needs": ["first"]},
        sleep("exact", "get_attribute first:result", needs=["between"]),
        sleep("pattern", "get_attribute ^fi.*t$:result", needs=["between"]),
        sleep("named", "seconds=get_attribute first:result", needs=["between"]),
    )
    found = nodes(task)
    assert found["exact"]["output"] == found["pattern"]["output"] == {"result": "0.010"}
    assert found["exact"]["args"] == ["get_attribute first:result"]  # shown as it was submitted
    assert "not 'seconds=0.010'" in found["named"]["reason"]


def test_an_output_that_was_not_produced_is_named(api):
    task = run(api, sleep("first", "0"), sleep("next", "get_attribute first:colour", needs=["first"]))
    node = nodes(task)["next"]
    assert (node["state"], node["reason_code"]) == (FAILURE, "reference")
    assert "'colour' of node 'first', which did not produce it (its outputs: result)" in node["reason"]


# -- cancel


def test_a_cancel_stops_what_sleeps_and_what_waits_and_leaves_what_has_ended(api):
    task = api.submit(
        {
            "nodes": [
                sleep("done", "0"),
                sleep("bad", "soon"),
                sleep("asleep", "60", needs=["done"]),
                sleep("behind", "60", needs=["asleep"]),
                {"name": "elsewhere", "engine": "shell", "artifact": "true"},
                {"name": "never", "needs": ["bad"]},
            ]
        }
    )
    api.wait_for_node(task, "asleep", state=RUNNING)
    api.wait_for_node(task, "never", state=NOTRUNNABLE)
    before = nodes(api.task(task))
    answer = api.cancel(task)
    assert answer.status == 202
    assert answer.json["state"] == CANCELED
    assert states(answer.json) == {
        "done": SUCCESS,
        "bad": FAILURE,
        "asleep": CANCELED,
        "behind": CANCELED,
        "elsewhere": CANCELED,
        "never": NOTRUNNABLE,
    }
    after = nodes(answer.json)
    assert all(after[name] == before[name] for name in ("done", "bad", "never"))
    assert answer.json["reason"] == "canceled by 127.0.0.1; 3 nodes stopped"


# -- an executor that is not there


def test_a_node_whose_executor_is_down_says_so_and_waits(api, nobody):
    task = api.submit({"nodes": [{"name": "a", "engine": "shell", "artifact": "true"}, {"name": "b", "needs": ["a"]}]})
    node = api.wait_for_node(task, "a", reason_code="executor_unreachable")
    assert (node["state"], node["attempt"], node["start_date"]) == (TORUN, 0, None)
    assert node["reason"].startswith(f"executor 'executor' at {nobody} cannot be reached: Connection refused")
    assert re.search(r"not reachable since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", node["reason"])
    assert api.task(task)["state"] == RUNNING
    assert states(api.cancel(task).json) == {"a": CANCELED, "b": CANCELED}


def test_ping_tells_that_the_executor_is_down_and_why(api, nobody):
    (executor,) = api.call("GET", "/v1/ping").json["executors"]
    assert (executor["name"], executor["url"], executor["reachable"]) == ("executor", nobody, False)
    assert "Connection refused" in executor["reason"]
    assert (executor["engines"], executor["capacity"], executor["load"]) == (None, None, None)


def test_the_log_of_a_node_without_one_is_empty(api):
    task = api.submit({"nodes": [sleep("a", "60"), {"name": "b"}]})
    api.wait_for_node(task, "b", state=SUCCESS)
    for name, complete in (("a", "false"), ("0", "false"), ("b", "true"), ("1", "true")):
        answer = api.call("GET", f"/v1/tasks/{task}/nodes/{name}/log")
        assert (answer.status, answer.data, answer.headers["content-type"]) == (200, b"", "application/octet-stream")
        assert (answer.headers["gorch-log-next"], answer.headers["gorch-log-complete"]) == ("0", complete)
    api.cancel(task)


def test_the_matrix_is_left_out_on_request(api):
    task = api.submit({"digraph": [0, 1, 0, 0], "nodes": [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}]})
    assert api.call("GET", f"/v1/tasks/{task}").json["digraph"] == [0, 1, 0, 0]
    assert "digraph" not in api.call("GET", f"/v1/tasks/{task}?digraph=false").json
