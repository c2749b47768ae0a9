"""A node that prints without end harms neither disk nor memory nor the others; head and tail of its log are kept."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psutil

from api_support import Orchestrator
from executor_support import Executor, body, script

MIB = 2**20
LIMIT = 2 * MIB
SIZE = 300 * MIB
LINE = 1024
GROWTH = 50 * MIB  # of a service's memory
# 1 MiB at a time, each line with its number; about 100 MiB a second.
PRINT = script(
    "import sys, time",
    f"for start in range(0, {SIZE // LINE}, 1024):",
    "    lines = (b'%d ' % number for number in range(start, start + 1024))",
    f"    sys.stdout.buffer.write(b''.join(line.ljust({LINE - 1}, b'.') + b'\\n' for line in lines))",
    "    time.sleep(0.005)",
    interpreter="/usr/bin/env python3",
)


def line(number: int) -> bytes:
    return (b"%d " % number).ljust(LINE - 1, b".") + b"\n"


class Most:
    """The largest disk use of a folder and the growth of processes, looked at all the time."""

    def __init__(self, folder: Path, processes: list[psutil.Process]) -> None:
        self.folder = folder
        self.before = {process: process.memory_info().rss for process in processes}
        self.disk = 0
        self.growth = 0
        self.over = Event()

    def look(self) -> None:
        while not self.over.wait(0.02):
            self.disk = max(self.disk, sum(path.stat().st_blocks * 512 for path in self.folder.glob("*/output.log")))
            self.growth = max(self.growth, *(each.memory_info().rss - rss for each, rss in self.before.items()))


@contextmanager
def watched(most: Most) -> Iterator[None]:
    thread = Thread(target=most.look)
    thread.start()
    try:
        yield
    finally:
        most.over.set()
        thread.join()


def test_300_mib_of_log_cost_neither_disk_nor_memory(
    new_executor: Callable[..., Executor], tmp_path: Path, certs: Path
) -> None:
    executor = new_executor(log_limit=str(LIMIT))
    (tmp_path / "front").mkdir()
    url = f"executor={executor.server.url}"
    orchestrator = Orchestrator(tmp_path / "front", certs, url, workers=1, GORCH_LOG_LIMIT=str(LIMIT))
    orchestrator.start()
    try:
        api = orchestrator.api
        node = {"engine": "shell", "env": {"PATH": "/usr/bin:/bin"}}
        api.end(api.submit({"name": "warm", "nodes": [{"name": "a", "artifact": "true", **node}]}))
        most = Most(executor.data / "jobs" / "live", [executor.worker(), *orchestrator.workers()])
        with watched(most):
            task = api.submit({"name": "long", "nodes": [{"name": "a", "artifact": PRINT, **node}]})
            slowest = 0.0
            while api.task(task)["state"] < 3:
                begin = time.monotonic()
                assert executor.run(body("/bin/true"))["state"] == 3
                slowest = max(slowest, time.monotonic() - begin)
        assert api.task(task)["state"] == 3
        log = b"".join(iter_log(orchestrator, task))
    finally:
        orchestrator.stop()
    head, gap, tail = re.split(rb"\n\[\.\.\. (\d+) bytes left out \.\.\.\]\n", log)
    assert head == b"".join(map(line, range(LIMIT // 2 // LINE)))
    assert tail == b"".join(map(line, range((SIZE - LIMIT // 2) // LINE, SIZE // LINE)))
    assert len(head) + int(gap) + len(tail) == SIZE
    assert most.growth < GROWTH
    assert slowest < 5
    assert most.disk < 32 * MIB  # the limit, and what is printed between two looks on a busy machine


def iter_log(orchestrator: Orchestrator, task: str) -> Iterator[bytes]:
    offset = 0
    while True:
        answer = orchestrator.api.call("GET", f"/v1/tasks/{task}/nodes/a/log?offset={offset}")
        assert answer.status == 200
        yield answer.data
        offset = int(answer.headers["gorch-log-next"])
        if not answer.data:
            return
