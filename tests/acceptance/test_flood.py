"""Two hundred graphs at once, on the two real services: each is taken or refused at once, and what is taken ends."""

import logging
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psutil
import pytest

from api_support import Api
from support import start_services, wait_until

log = logging.getLogger(__name__)

GRAPHS, NODES = 200, 50
SENDERS = 50
PATIENCE = 300  # seconds until all must have ended; an idle machine needs a few
MEMORY = 150 * 2**20  # bytes by which the orchestrator's processes may grow together


def gorch(number):
    """A graph of two nodes that an executor runs, each followed by a fan of others that need none."""
    shells = [{"name": f"s{at}", "engine": "shell", "artifact": "/bin/true"} for at in range(2)]
    rest = [{"name": f"n{at}", "needs": [f"s{at % 2}"] if at < NODES // 2 else []} for at in range(NODES - 2)]
    return {"name": f"flood-{number}", "nodes": shells + rest}


@dataclass
class Watch:
    """Reads the list of tasks over and over while it is entered, and keeps how long each answer took, in seconds."""

    api: Api
    took: list[float] = field(default_factory=list)
    faults: list[object] = field(default_factory=list)

    def __enter__(self):
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    def _look(self):
        while not self._end.wait(0.05):
            begin = time.monotonic()
            try:
                answer = self.api.call("GET", "/v1/tasks?limit=10")
            except OSError as error:
                self.faults.append(error)
                continue
            self.took.append(time.monotonic() - begin)
            if answer.status != 200:
                self.faults.append(answer)


def memory(services):
    """Return what the orchestrator's processes hold, in bytes."""
    process = psutil.Process(services.orchestrator.process.pid)
    return sum(each.memory_info().rss for each in [process, *process.children()])


def flood(api):
    """Post all graphs at once; returns the answers and how long the slowest took, in seconds."""

    def post(number):
        begin = time.monotonic()
        answer = api.call("POST", "/v1/tasks", gorch(number))
        return answer, time.monotonic() - begin

    with ThreadPoolExecutor(SENDERS) as pool:
        found = list(pool.map(post, range(GRAPHS)))
    return [answer for answer, _ in found], max(took for _, took in found)


def states(api):
    """Return the states of all tasks."""
    return {task["id"]: task["state"] for task in api.call("GET", "/v1/tasks?limit=1000").json["tasks"]}


def all_end(api, ids):
    """Return when these tasks, and no others, have ended with success."""
    wait_until(lambda: not api.call("GET", "/v1/tasks?open=true&limit=1").json["tasks"], PATIENCE, "all have ended")
    assert states(api) == dict.fromkeys(ids, "success")


@pytest.fixture
def services(request, tmp_path, certs):
    yield from start_services(tmp_path, certs, {"GORCH_WORKERS": "2", **getattr(request, "param", {})})


def test_all_are_taken_and_end(services):
    api = Api(int(services.url.rpartition(":")[2]))
    first = api.submit(gorch(0))  # what is made once for all is no growth
    api.end(first)
    before, begin = memory(services), time.monotonic()
    with Watch(api) as watch:
        answers, slowest = flood(api)
        assert [answer.status for answer in answers] == [202] * GRAPHS
        posted = time.monotonic() - begin
        all_end(api, [first, *(answer.json["id"] for answer in answers)])
    ended, grown = time.monotonic() - begin, memory(services) - before
    log.info("%d graphs of %d nodes posted in %.1f s, the slowest in %.2f s", GRAPHS, NODES, posted, slowest)
    log.info("ended after %.1f s; the orchestrator holds %.0f MiB more", ended, grown / 2**20)
    median, longest = statistics.median(watch.took), max(watch.took)
    log.info("meanwhile %d GETs: median %.3f s, longest %.3f s", len(watch.took), median, longest)
    assert watch.faults == []
    assert len(watch.took) > 10
    assert longest < 20
    assert grown < MEMORY


@pytest.mark.parametrize("services", [{"GORCH_OPEN_RUNS": "20"}], indirect=True)
def test_what_is_too_much_is_refused_at_once(services):
    api = Api(int(services.url.rpartition(":")[2]))
    held = api.submit({"nodes": [{"name": "a", "engine": "sleep", "args": ["600"]}]})
    with Watch(api) as watch:
        answers, slowest = flood(api)
        taken = [answer.json["id"] for answer in answers if answer.status == 202]
        refused = [answer for answer in answers if answer.status != 202]
        for answer in refused:
            answer.is_problem(429, "too-many-runs")
            assert int(answer.headers["retry-after"]) > 0
        api.cancel(held)
        wait_until(lambda: not api.call("GET", "/v1/tasks?open=true").json["tasks"], PATIENCE, "all have ended")
    log.info("%d of %d graphs taken, the others refused, the slowest in %.2f s", len(taken), GRAPHS, slowest)
    assert states(api) == {held: "canceled"} | dict.fromkeys(taken, "success")
    assert len(taken) >= 19
    assert refused
    assert watch.faults == []
