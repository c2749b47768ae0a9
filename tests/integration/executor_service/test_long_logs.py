"""A node that prints a gigabyte harms neither disk nor memory nor the others; head and tail of its log are kept."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil

from api_support import Api, Orchestrator
from executor_support import Executor

MIB = 2**20
LIMIT = 10 * MIB  # of both services, unless they are told otherwise
LINE = 16  # bytes, with its end
FIRST = 10 ** (LINE - 2)  # so that each line has as many digits
LINES = 2**30 // LINE
GROWTH = 50 * MIB  # of a service's memory
PATIENCE = 120  # seconds until it counts as not ending
# Made with what every machine has; a pipe keeps it from printing faster than a disk takes it.
PRINT = f"#!/bin/sh\nseq {FIRST} {FIRST + LINES - 1} | cat\n"
SHELL = {"engine": "shell", "env": {"PATH": "/usr/bin:/bin"}}


def lines(first: int, last: int) -> bytes:
    return b"".join(b"%d\n" % (FIRST + number) for number in range(first, last))


class Most:
    """The largest disk use of logs and the growth of processes, looked at all the time."""

    def __init__(self, folder: Path, processes: list[psutil.Process]) -> None:
        self.folder = folder
        self.before = {process: process.memory_info().rss for process in processes}
        self.growth = dict.fromkeys(processes, 0)
        self.disk = 0
        self.over = Event()

    def look(self) -> None:
        while not self.over.wait(0.02):
            self.disk = max(self.disk, sum(map(blocks, self.folder.glob("*/output.log"))))
            for process, before in self.before.items():
                self.growth[process] = max(self.growth[process], process.memory_info().rss - before)


def blocks(path: Path) -> int:
    """Return the bytes that a file takes on the disk; none if it was removed a moment ago."""
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


@contextmanager
def watched(most: Most) -> Iterator[None]:
    thread = Thread(target=most.look)
    thread.start()
    try:
        yield
    finally:
        most.over.set()
        thread.join()


def test_a_gigabyte_of_log_costs_neither_memory_nor_disk_nor_the_time_of_others(
    new_executor: Callable[..., Executor], tmp_path: Path, certs: Path
) -> None:
    executor = new_executor()
    (tmp_path / "front").mkdir()
    url = f"executor={executor.server.url}"
    orchestrator = Orchestrator(tmp_path / "front", certs, url)
    orchestrator.start()
    try:
        api = orchestrator.api
        warm_up(orchestrator)
        most = Most(executor.data / "jobs" / "live", [executor.worker(), *orchestrator.workers()])
        with watched(most):
            task = api.submit({"name": "long", "nodes": [{"name": "a", "artifact": PRINT, **SHELL}]})
            times = list(meanwhile(api, task))
            assert api.task(task)["state"] == 3
            log, gaps = read_log(api, task)
    finally:
        orchestrator.stop()
    half, left_out = LIMIT // 2, LINES * LINE - LIMIT
    marker = b"\n[... %d bytes left out from byte %d on ...]\n" % (left_out, half)
    assert log == lines(0, half // LINE) + marker + lines(LINES - half // LINE, LINES)
    assert gaps == [f"offset={half}, length={left_out}"]
    assert max(most.growth.values()) < GROWTH, most.growth
    assert len(times) >= 3
    assert max(times) < 5, times
    assert most.disk < LINES * LINE / 2  # the limit, and what is printed between two looks on a busy machine


def warm_up(orchestrator: Orchestrator) -> None:
    """Let each worker run a node, so that all that they need is loaded."""
    for worker in orchestrator.workers():
        with orchestrator.connection_to(worker) as connection:
            api = orchestrator.api
            api.end(api.submit({"name": "warm", "nodes": [{"name": "a", "artifact": "true", **SHELL}]}, connection))


def meanwhile(api: Api, task: str) -> Iterator[float]:
    """Run other graphs until a task has ended; yields the seconds that each of them took."""
    other = {"nodes": [{"name": "a", "artifact": "true", **SHELL}, {"name": "b", "artifact": "true", **SHELL}]}
    give_up = time.monotonic() + PATIENCE
    while api.task(task)["state"] < 3:
        begin = time.monotonic()
        assert begin < give_up
        assert api.end(api.submit(other))["state"] == 3
        yield time.monotonic() - begin


def read_log(api: Api, task: str) -> tuple[bytes, list[str]]:
    """Return the whole log of node a, and its gaps."""
    log, gaps, offset = b"", [], 0
    while True:
        answer = api.call("GET", f"/v1/tasks/{task}/nodes/a/log?offset={offset}")
        assert answer.status == 200
        log += answer.data
        gaps += [answer.headers["gorch-log-gap"]] if "gorch-log-gap" in answer.headers else []
        offset = int(answer.headers["gorch-log-next"])
        if answer.headers["gorch-log-complete"] == "true":
            return log, gaps
