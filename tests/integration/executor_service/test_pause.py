"""The engines nil and sleep on a real executor, and when the orchestrator hands them over."""

from executor_support import Executor, new_id
from support import Services, wait_until


def node(engine: str, *args: str, **fields: object) -> dict[str, object]:
    return {"name": "n", "engine": engine, "args": [*args], **fields}


def test_nil_succeeds_and_sleep_waits(executor: Executor) -> None:
    assert executor.run(node("nil"))["state"] == 3
    job = executor.run(node("sleep", "0.2"))
    assert (job["state"], job["output"]) == (3, {"result": "0.200"})
    assert executor.run(node("sleep"))["state"] == 3


def test_what_is_no_number_of_seconds(executor: Executor) -> None:
    job = executor.run(node("sleep", "long"))
    assert (job["state"], job["reason_code"]) == (4, "argument")
    assert "takes a number of seconds as its first argument, not 'long'" in job["reason"]


def test_it_is_cancelled_and_has_a_timeout(executor: Executor) -> None:
    job_id = new_id()
    assert executor.put(job_id, node("sleep", "600"), wait=None).status_code == 202
    assert executor.delete(job_id).json()["state"] == 11
    job = executor.run(node("sleep", "600", timeout=0.2))
    assert (job["state"], job["reason"]) == (10, "killed after its timeout of 0.2 s")


def test_a_restart_does_not_begin_it_again(executor: Executor) -> None:
    job_id = new_id()
    executor.put(job_id, node("sleep", "3"), wait=None)
    begun = wait_until(lambda: executor.get(job_id)["started_at"])
    executor.server.kill()
    executor.start_server()
    job = executor.end(job_id)
    assert (job["state"], job["started_at"]) == (3, begun)


def test_they_are_the_same_in_the_orchestrator_and_on_an_executor(service: Services) -> None:
    """What documents of the Go project give them is taken in both places, and so is the timeout of a sleep."""
    go = {"artifact": "./sleep.sh", "output": {"result": ""}}
    nodes = [
        {"name": f"{engine}{seconds} at {target}", "engine": engine, "args": [seconds], "target": target, **go, **more}
        for target in ("", "executor")
        for engine, seconds, more in (
            ("nil", "0", {}),
            ("sleep", "0.01", {"timeout": 60}),
            ("sleep", "600", {"timeout": 0.1}),
        )
    ]
    task = service.remote.wait(service.remote.submit({"nodes": nodes}))
    ends = [(each["state"], each["reason_code"], each["reason"], each["output"]) for each in task["nodes"]]
    assert ends[:3] == ends[3:]
    assert ends[:3] == [
        (3, None, None, {"result": ""}),
        (3, None, None, {"result": "0.010"}),
        (10, "timeout", "killed after its timeout of 0.1 s", {"result": ""}),
    ]


def test_the_orchestrator_hands_them_over_where_the_target_names_an_executor(service: Services) -> None:
    nodes = [
        {"name": "here", "engine": "sleep", "args": ["0.01"]},
        {"name": "elsewhere", "engine": "sleep", "args": ["0.01"], "target": "no executor"},
        {"name": "there", "engine": "sleep", "args": ["0.01"], "target": "executor"},
        {"name": "nothing", "target": "executor"},
    ]
    task = service.remote.wait(service.remote.submit({"nodes": nodes}))
    assert task["state"] == 3
    assert [each["executor"] for each in task["nodes"]] == [None, None, "executor", "executor"]
    assert task["nodes"][2]["output"] == {"result": "0.010"}
