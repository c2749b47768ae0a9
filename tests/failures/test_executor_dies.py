"""The executor is killed at each point of a job's way, alone or with everything else, or it comes back empty."""

import psutil

from executor.archive import Archive
from executor_support import alive
from failures_support import FAILURE, RUNNING, SUCCESS
from stopping import stopped
from support import PATIENCE, wait_until


def test_executor_killed_before_it_starts_the_process(house):
    house.once(house.submit(house.node()))  # there are a keeper and an idle shim now
    with stopped(*house.executor.keepers()):
        task = house.submit(house.node())
        wait_until(house.job(task, "node.json").exists, what="the executor has accepted it")
        assert house.runs(task) == 0
        house.executor.server.kill()
    house.restart_executor()
    house.once(task)


def test_executor_killed_after_it_started_the_process(house):
    """It had not answered yet: the PUT is repeated and meets the process."""
    task = house.submit(house.node(gate="started"))
    house.has_run(task)
    house.executor.server.kill()
    house.open("started")
    house.restart_executor()
    house.once(task)


def test_executor_killed_while_the_process_runs(house):
    task = house.submit(house.node("node", "sleep 0.1", gate="runs", status=5))
    house.shows(task, state=RUNNING)
    house.has_run(task)
    house.executor.server.kill()
    house.shows(task, state=RUNNING, reason="not reachable since")
    house.restart_executor()
    house.shows(task, state=RUNNING, reason_code=None)
    house.open("runs")
    node = house.once(task, FAILURE)
    assert (node["exit_code"], node["reason_code"]) == (5, "exit")
    assert house.log(task) == b"started\nended\n"


def test_executor_killed_after_the_process_ended(house):
    """It ends while nobody is there but its shim, which has written the real status."""
    task = house.submit(house.node(gate="ended", status=7))
    house.has_run(task)
    house.executor.server.kill()
    house.open("ended")
    wait_until(house.job(task, "exit").exists, what="its shim has written how it ended")
    house.restart_executor()
    node = house.once(task, FAILURE)
    assert (node["exit_code"], house.log(task)) == (7, b"started\nended\n")


def test_both_killed(house):
    task = house.submit(house.node(gate="both", status=9), house.node("beside"))
    house.has_run(task)
    house.shows(task, "beside", state=SUCCESS)
    house.orchestrator.kill()
    house.executor.server.kill()
    house.open("both")
    house.executor.start_server()
    house.orchestrator.start()
    node = house.once(task, FAILURE)
    assert (node["exit_code"], house.runs(task, "beside")) == (9, 1)
    house.in_contact()


def test_machine_rebooted(house):
    """Everything is gone at once, jobs and their supervisors included: a job without an exit status is lost."""
    task = house.submit(house.node(gate="reboot"), house.node("after", needs=["node"]))
    house.has_run(task)
    house.orchestrator.kill()
    house.executor.server.kill()
    house.executor.kill_everything()
    house.executor.start_server()
    house.orchestrator.start()
    node = house.once(task, FAILURE)
    assert (node["reason_code"], node["exit_code"]) == ("lost", None)
    assert house.end(task)["after"]["state"] == 5
    house.in_contact()
    house.once(house.submit(house.node()))


def test_executor_replaced_by_an_empty_one(house):
    task = house.submit(house.node(gate="replaced"))
    house.has_run(task)
    process = _process(house)
    house.executor.server.kill()
    kept = house.executor.data.with_name("kept")
    house.executor.data.rename(kept)
    house.restart_executor()
    node = house.once(task, FAILURE)
    assert node["reason_code"] == "lost"
    assert process.is_running()  # it may be: that is why it is not started again
    new = house.submit(house.node())
    assert house.end(new)["node"]["state"] == SUCCESS
    assert house.runs(new) == 1  # whichever attempt it was: a worker may have meant the old executor first
    house.open("replaced")
    psutil.wait_procs([process], PATIENCE)
    house.orchestrator.stop()
    house.orchestrator.start()  # so that no worker means the old one in the next test
    house.in_contact()


def _process(house):
    """Return the process of the only job; what it has just forked looks like it for a moment."""
    found = [psutil.Process(pid) for pid in alive(f"{house.executor.data}/jobs/live")]
    return next(each for each in found if each.ppid() not in {other.pid for other in found})


def test_result_pruned_before_it_was_read(house):
    """Impossible: pruning takes what was acknowledged and nothing else, however old it is."""
    read = house.submit(house.node())
    house.once(read)
    done = house.executor.data / "jobs" / "done"
    wait_until(lambda: list(done.glob(f"*/{read}.0.1")), what="its receipt")
    unread = house.submit(house.node(gate="pruned", status=4))
    house.has_run(unread)
    house.orchestrator.kill()
    house.open("pruned")
    wait_until(house.job(unread, "result.json").exists, what="its result")
    for hour in done.iterdir():
        hour.rename(done / "2020-01-01T00")
    archive = Archive(house.executor.data, keep_done=0)
    assert archive.prune().count >= 1
    archive.close()
    assert house.executor.call("GET", f"tasks/{unread}.0.1").json()["exit_code"] == 4
    house.orchestrator.start()
    assert house.once(unread, FAILURE)["exit_code"] == 4
    house.in_contact()
