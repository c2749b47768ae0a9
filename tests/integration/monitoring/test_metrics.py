"""What is counted is exact, whichever workers count, and stays so while they die."""

from contextlib import ExitStack, closing

import psutil
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from executor_support import script
from failures_support import FAILURE, PATIENCE, SUCCESS
from monitoring_support import NODES, graph, metrics, of_executor, samples
from support import wait_until

FEW = 100  # nodes where what counts is that workers die
FLAKY = script('[ "$GORCH_ATTEMPT" -ge 3 ] || exit 7')
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}


def counts(found):
    """Return what must never be lost nor counted twice."""
    wanted = (
        "gorch_tasks_ended_total",
        "gorch_nodes_ended_total",
        "gorch_attempts_ended_total",
        "gorch_retries_total",
        "gorch_attempt_duration_seconds_count",
        "gorch_queue_wait_seconds_count",
        "gorch_dispatch_overhead_seconds_count",
    )
    return {key: value for key, value in found.items() if key[0] in wanted and value}


def expected(graphs=1, size=NODES):
    """Return the counts of so many graphs of so many nodes."""
    half = graphs * size // 2
    return {
        ("gorch_tasks_ended_total", "success"): graphs,
        ("gorch_nodes_ended_total", "nil", "success"): half,
        ("gorch_nodes_ended_total", "shell", "success"): half,
        ("gorch_attempts_ended_total", "shell", "success"): half,
        ("gorch_attempt_duration_seconds_count", "shell"): half,
        ("gorch_queue_wait_seconds_count", "executor"): half,
        ("gorch_dispatch_overhead_seconds_count", "executor"): half,
    }


def test_counts_are_exact_whichever_workers_count_and_whichever_is_asked(new_house):
    house = new_house(GORCH_LEASE="60")  # a busy machine shall not have another worker go on with an attempt
    with ExitStack() as stack:
        each = [stack.enter_context(house.orchestrator.connection_to(one)) for one in house.orchestrator.workers()]
        assert len(each) == 2
        tasks = [house.api.submit({"name": "counted", "nodes": graph()}, over=over) for over in each]
        for task in tasks:
            assert house.api.end(task)["state"] == SUCCESS
        for over in each:
            # An end can be read as soon as it is durable, and is counted then.
            wait_until(
                lambda over=over: counts(metrics(house, over)) == expected(2), what="all that has ended is counted"
            )
            found = metrics(house, over)
            assert counts(found) == expected(2)
            assert found["gorch_tasks_accepted_total",] == 2
            assert found["gorch_tasks", "success"] == 2
            assert found["gorch_workers",] == 2
            assert {value for (name, *_), value in found.items() if name == "gorch_nodes"} == {0}
            assert found["gorch_journal_commit_items_sum",] >= 2 * 2 * NODES  # two changes of each shell node, and more
            assert 0 < found["gorch_journal_commit_seconds_count",] == found["gorch_journal_commit_items_count",]
            assert found["gorch_cpu_seconds_total",] > 0
    families = list(openmetrics(house.api.call("GET", "/metrics", headers=OPENMETRICS).data.decode()))
    assert "gorch_nodes_ended" in {family.name for family in families}
    own = of_executor(house)
    assert own["gorch_jobs_ended_total", "shell", "success"] == NODES
    assert own["gorch_job_duration_seconds_count", "shell"] == own["gorch_job_wait_seconds_count", "shell"] == NODES
    assert own["gorch_jobs_running",] == own["gorch_jobs_queued",] == 0
    assert (
        own["gorch_http_requests_total", "PUT", "200"] + own.get(("gorch_http_requests_total", "PUT", "202"), 0)
        >= NODES
    )


def test_every_kind_of_end_is_counted_and_nothing_of_a_user_is_a_label(house):
    flaky = {"name": "flaky", "engine": "shell", "artifact": FLAKY, "retry": {"limit": 3, "delay": 0.01}}
    fails = {"name": "secret-name", "engine": "shell", "artifact": "false", "target": "secret-target"}
    nodes = [flaky, fails, {"name": "never", "needs": ["secret-name"], "engine": "sleep"}]
    nodes.append({"name": "late", "engine": "shell", "artifact": "sleep", "args": ["60"], "timeout": 0.2})
    task = house.api.submit({"name": "secret-graph", "labels": {"a": "secret-label"}, "nodes": nodes})
    assert house.api.end(task)["state"] == FAILURE
    answer = house.api.call("GET", "/metrics").data.decode()
    assert "secret" not in answer
    assert task not in answer
    found = counts(samples(answer))
    assert found == {
        ("gorch_tasks_ended_total", "failure"): 1,
        ("gorch_nodes_ended_total", "shell", "success"): 1,
        ("gorch_nodes_ended_total", "shell", "failure"): 1,
        ("gorch_nodes_ended_total", "shell", "timeout"): 1,
        ("gorch_nodes_ended_total", "sleep", "notrunnable"): 1,
        ("gorch_attempts_ended_total", "shell", "success"): 1,
        ("gorch_attempts_ended_total", "shell", "failure"): 3,
        ("gorch_attempts_ended_total", "shell", "timeout"): 1,
        ("gorch_retries_total", "shell"): 2,
        ("gorch_attempt_duration_seconds_count", "shell"): 5,
        ("gorch_queue_wait_seconds_count", "executor"): 5,
        ("gorch_dispatch_overhead_seconds_count", "executor"): 5,
    }


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # collected between two looks
        return False


def replaced(house, gone):
    """Return when others serve in the place of workers that have been told to end, or were killed."""
    ended = {worker.pid for worker in gone}

    def others():
        now = {worker.pid for worker in house.orchestrator.workers() if alive(worker)}
        return len(now) == house.orchestrator.count and not now & ended

    wait_until(others, PATIENCE, "other workers")
    wait_until(lambda: metrics(house)["gorch_workers",] == house.orchestrator.count, PATIENCE, "all of them count")
    house.in_contact()


def kill_one(house):
    gone = house.orchestrator.workers()[:1]
    gone[0].kill()
    return gone


def kill_all(house):
    gone = house.orchestrator.workers()
    for worker in gone:
        worker.kill()
    return gone


def end_all(house):
    gone = house.orchestrator.workers()
    for worker in gone:
        worker.terminate()
    return gone


def test_workers_that_are_killed_or_replaced_lose_no_count_and_none_is_counted_twice(house):
    task = house.api.submit({"nodes": graph(FEW)})
    assert house.api.end(task)["state"] == SUCCESS
    assert counts(metrics(house)) == expected(1, FEW)
    accepted = metrics(house)["gorch_tasks_accepted_total",]
    for times, ends in enumerate((kill_one, kill_all, end_all), 1):
        replaced(house, ends(house))
        assert counts(metrics(house)) == expected(times, FEW)
        house.end(house.submit(*graph(FEW)))
        assert counts(metrics(house)) == expected(times + 1, FEW)
        assert metrics(house)["gorch_tasks_accepted_total",] == accepted + times


def test_what_a_killed_worker_had_not_committed_is_counted_once_by_the_next_one(house):
    house.arm("before-commit/result", 3)
    task = house.submit(*graph(FEW))
    house.died()
    house.end(task)
    found = metrics(house)
    for engine in ("nil", "shell"):
        assert found["gorch_nodes_ended_total", engine, "success"] == FEW // 2
    assert found["gorch_tasks_ended_total", "success"] == 1
    with closing(house.database()) as database:
        (ended,) = database.execute("SELECT count(*) FROM attempts WHERE state = 3").fetchone()
    assert found["gorch_attempts_ended_total", "shell", "success"] == ended == FEW // 2


def test_a_service_that_is_started_again_begins_at_zero(house):
    house.end(house.submit({"name": "a"}))
    assert metrics(house)["gorch_nodes_ended_total", "nil", "success"] == 1
    house.orchestrator.stop()
    house.orchestrator.start()
    found = metrics(house)
    assert counts(found) == {}
    assert found["gorch_tasks", "success"] == 1  # as it is stored
    assert len(list((house.folder / "orchestrator" / "data" / "metrics").iterdir())) == 1
