"""The process that draws a graph is killed: there is a simpler drawing, or a reason; the task goes on."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil

from support import PATIENCE, wait_until

CHILD = "gorchestrator.web.layout"
SIZE = 2_000
LAYOUT = "/v1/tasks/{}/layout"


def drawing(house):
    """Return the processes that draw."""
    found = []
    for process in psutil.Process(house.orchestrator.process.pid).children(recursive=True):
        with suppress(psutil.Error):
            if CHILD in process.cmdline():
                found.append(process)
    return found


def wide(house, gate):
    """Return a node that waits at a gate, and so many behind it that they are not drawn in a moment."""
    behind = [
        {"name": f"n{each}", "needs": sorted({max(0, each - step) for step in (1, 7, 40)})} for each in range(1, SIZE)
    ]
    return [house.node(gate=gate), *behind]


def kill_one(house, seen):
    """Kill one that draws and was not seen before, as soon as there is one."""
    process = wait_until(
        lambda: next((each for each in drawing(house) if each not in seen), None), PATIENCE, "something draws"
    )
    seen.append(process)
    process.kill()


def test_drawing_killed(house):
    task = house.submit(*wide(house, "killed"))
    house.has_run(task)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(house.api.call, "GET", LAYOUT.format(task))
        kill_one(house, [])
        found = answer.result(PATIENCE)
    assert found.status == 200
    assert len(found.json["nodes"]) == SIZE
    assert "its process ended by SIGKILL" in (house.orchestrator.folder / "out").read_text()
    house.open("killed")
    house.once(task)


def test_drawing_killed_again_and_again(house):
    task = house.submit(*wide(house, "again"))
    house.has_run(task)
    seen = []
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(house.api.call, "GET", LAYOUT.format(task))
        kill_one(house, seen)
        kill_one(house, seen)
        found = answer.result(PATIENCE)
    found.is_problem(503, "no-layout")
    assert "retry-after" in found.headers
    assert len(house.api.call("GET", LAYOUT.format(task)).json["nodes"]) == SIZE
    house.open("again")
    house.once(task)
