"""Driving a real orchestrator over plain HTTP, one worker process at a time where that matters."""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from stopping import stopped
from support import PATIENCE, Server, wait_until

PROBLEM = "urn:gorchestrator:problem:"
FINAL = 3  # states from here on are final


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    data: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.data)

    @property
    def faults(self) -> dict[str, str]:
        """The faults of a refused document by their JSON Pointers."""
        return {fault["pointer"]: fault["detail"] for fault in self.json["errors"]}

    def is_problem(self, status: int, slug: str) -> None:
        """Fail unless this is a complete problem document of this status and type."""
        assert self.status == status, self.data[:500]
        assert self.headers["content-type"] == "application/problem+json"
        found = self.json
        assert found["type"] == PROBLEM + slug
        assert found["status"] == status
        assert found["title"]
        assert found["detail"]


@dataclass
class Api:
    """The service at ``port``. Every call takes a new connection, so any worker may answer."""

    port: int
    paths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the service's own API docs

    def learn(self) -> None:
        """Read the service's API docs; from then on an answer of a status that they do not name fails."""
        self.paths = self.call("GET", "/apispec.json").json["paths"]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        wait: float = 0,
        headers: Mapping[str, str] | None = None,
        over: http.client.HTTPConnection | None = None,
    ) -> Answer:
        """Send a request; what is not bytes, text or an iterator of bytes is sent as JSON."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= {"Prefer": f"wait={wait:g}"} if wait else {}
        sent |= headers or {}
        if not isinstance(body, str | bytes | Iterator | None):
            body = json.dumps(body)
        if over is not None:
            return self._send(over, method, path, body, sent)
        with closing(self.connect()) as connection:
            return self._send(connection, method, path, body, sent)

    def _send(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> Answer:
        connection.request(method, path, body, headers, encode_chunked=isinstance(body, Iterator))
        found = connection.getresponse()
        answer = Answer(found.status, {key.lower(): value for key, value in found.getheaders()}, found.read())
        self._is_documented(method, path, answer)
        return answer

    def _is_documented(self, method: str, path: str, answer: Answer) -> None:
        for template, operations in self.paths.items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template) + "/?"
            if re.fullmatch(pattern, path.partition("?")[0]) and method.lower() in operations:
                known = operations[method.lower()]["responses"]
                assert str(answer.status) in known, (
                    f"{method} {template} answered {answer.status}: {answer.data[:300]!r}"
                )

    # -- the calls of most tests

    def submit(self, document: Any, over: http.client.HTTPConnection | None = None) -> str:
        """Submit a gorch that has to be accepted; return its id."""
        answer = self.call("POST", "/v1/tasks", document, over=over)
        assert answer.status == 202, answer.data
        return str(answer.json["id"])

    def task(self, task: str, over: http.client.HTTPConnection | None = None) -> dict[str, Any]:
        answer = self.call("GET", f"/v1/tasks/{task}", over=over)
        assert answer.status == 200, answer.data
        found: dict[str, Any] = answer.json
        return found

    def end(self, task: str) -> dict[str, Any]:
        """Wait for the end of a task, and return it."""
        for _ in range(6):  # three minutes: the largest graphs may need one on a busy machine
            found: dict[str, Any] = self.call("GET", f"/v1/tasks/{task}", wait=PATIENCE / 2).json
            if found["state"] >= FINAL:
                return found
        pytest.fail(f"it has not ended: {found}")

    def cancel(self, task: str, wait: float = 10) -> Answer:
        return self.call("DELETE", f"/v1/tasks/{task}", wait=wait)

    def wait_for_node(self, task: str, name: str, **wanted: Any) -> dict[str, Any]:
        """Wait until a node shows what is wanted (such as ``state=2``), and return it."""

        def look() -> dict[str, Any] | None:
            node = nodes(self.task(task))[name]
            return node if all(node[key] == value for key, value in wanted.items()) else None

        return wait_until(look, what=f"node {name} has {wanted}") or {}


def nodes(task: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the nodes of a task by their names."""
    return {node["name"]: node for node in task["nodes"]}


def states(task: Mapping[str, Any]) -> dict[str, int]:
    """Return the state of each node."""
    return {node["name"]: node["state"] for node in task["nodes"]}


class Orchestrator(Server):
    """A real orchestrator: gunicorn with several workers, and its data in a folder that outlives it."""

    def __init__(self, folder: Path, certs: Path, executors: str, workers: int = 2, **settings: str) -> None:
        super().__init__(
            ["serve"],
            {
                "GORCH_DATA": str(folder / "data"),
                "GORCH_CERTS": str(certs),
                "GORCH_EXECUTORS": executors,
                "GORCH_WORKERS": str(workers),
                "GORCH_LEASE": "1",
                **settings,
            },
            folder,
        )
        self.count = workers

    def start(self) -> None:
        """Start it; return when every worker serves."""
        before = self._ready()
        super().start()
        wait_until(lambda: self._all_ready(before), what="all workers are ready")

    def _all_ready(self, before: int) -> bool:
        self.runs()
        return self._ready() >= before + self.count

    def _ready(self) -> int:
        with suppress(FileNotFoundError):
            return len(self.events("ready"))
        return 0

    @property
    def database(self) -> Path:
        return self.folder / "data" / "gorchestrator.db"

    @property
    def api(self) -> Api:
        return Api(int(self.url.rpartition(":")[2]))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of its log with this event."""
        mark = f'"event": "{kind}"'
        return [json.loads(line) for line in self.log.splitlines() if mark in line and line.endswith("}")]

    def workers(self) -> list[psutil.Process]:
        assert self.process
        return psutil.Process(self.process.pid).children()

    def writers(self) -> list[psutil.Process]:
        """Return the processes that write its files."""
        return self.workers()

    def spent(self) -> float:
        """Return the processor time of its workers, in seconds; how long something takes depends on others, too."""
        times = [worker.cpu_times() for worker in self.workers()]
        return sum(each.user + each.system for each in times)

    @contextmanager
    def connection_to(self, worker: psutil.Process) -> Iterator[http.client.HTTPConnection]:
        """Return a connection that this worker serves: it is made while the others are stopped."""
        others = [each for each in self.workers() if each.pid != worker.pid]
        with closing(self.api.connect()) as connection:
            with stopped(*others):
                connection.request("GET", "/v1/tasks?limit=1")
                connection.getresponse().read()
            yield connection
