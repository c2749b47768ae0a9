"""Both services as real processes with a proxy between them, a ledger of what was run, and what tests do to them."""

import shlex
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psutil

from api_support import FINAL, Api, Orchestrator
from api_support import nodes as nodes_of
from executor_support import Executor, started
from proxy_support import Proxy
from support import PATIENCE, wait_until

SUCCESS, FAILURE, CANCELED = 3, 4, 11
TORUN, RUNNING = 1, 2
GONE = (OSError, HTTPException, ValueError)  # what a call meets when its server dies meanwhile


class House:
    """An orchestrator, an executor, and the network between them, below one folder."""

    def __init__(self, folder: Path, certs: Path, *, workers: int = 2, back: dict[str, str], **settings: str) -> None:
        self.folder = folder
        self.ledger = folder / "ledger"
        self.ledger.touch()
        self.fault_point = folder / "fault-point"
        names = {f"GORCH_EXECUTOR_{name.upper()}": value for name, value in back.items()}
        self.executor = Executor(folder / "executor", certs, {"GORCH_EXECUTOR_KILL_GRACE": "0.5"} | names)
        (folder / "orchestrator").mkdir(exist_ok=True)
        settings = {"GORCH_FAULT_POINT": str(self.fault_point)} | settings
        self.orchestrator = Orchestrator(folder / "orchestrator", certs, "", workers, **settings)

    def start(self, stack: ExitStack) -> None:
        """Start everything, and have the stack stop it."""
        stack.enter_context(started(self.executor))
        self.proxy = Proxy(int(self.executor.server.url.rpartition(":")[2]))
        stack.callback(self.proxy.close)
        self.orchestrator.settings["GORCH_EXECUTORS"] = f"executor=https://127.0.0.1:{self.proxy.port}"
        stack.callback(self.orchestrator.stop)
        self.orchestrator.start()
        self.in_contact()

    @property
    def api(self) -> Api:
        return self.orchestrator.api

    def in_contact(self) -> None:
        """Return when both workers reach the executor."""
        wait_until(self._in_contact, PATIENCE, "the executor is reached")

    def _in_contact(self) -> bool:
        with suppress(*GONE):
            return all(each["reachable"] for each in self.api.call("GET", "/v1/ping").json["executors"])
        return False

    # -- graphs

    def node(self, name: str = "node", *lines: str, gate: str = "", status: int = 0, **fields: Any) -> dict[str, Any]:
        """Return a node that appends a line to the ledger, waits for a gate if there is one, and ends with a status."""
        text = [f'echo "$GORCH_TASK_ID $GORCH_NODE" >> {shlex.quote(str(self.ledger))}', *lines]
        if gate:
            text += ["echo started", f"while [ ! -e {shlex.quote(str(self.gate(gate)))} ]; do sleep 0.02; done"]
        text += ["echo ended", f"exit {status}"]
        return {"name": name, "engine": "shell", "artifact": "\n".join(["#!/bin/sh", *text, ""]), **fields}

    def gate(self, name: str) -> Path:
        return self.folder / f"gate-{name}"

    def open(self, gate: str) -> None:
        """Let the nodes behind a gate end."""
        self.gate(gate).touch()

    def submit(self, *nodes: dict[str, Any]) -> str:
        """Submit a graph and return its id, also if the process that accepted it died before it could say so."""
        name = uuid.uuid4().hex
        with suppress(*GONE):
            return self.api.submit({"name": name, "nodes": list(nodes)})
        return wait_until(lambda: self.find(name), PATIENCE, "the graph is in the list")

    def find(self, name: str) -> str:
        """Return the id of the task of this name, or an empty text."""
        with suppress(*GONE):
            found = self.api.call("GET", "/v1/tasks?limit=1000").json["tasks"]
            return next((str(each["id"]) for each in found if each["name"] == name), "")
        return ""

    def task(self, task: str) -> dict[str, Any]:
        """Return a task, whichever process answers."""

        def ask() -> dict[str, Any] | None:
            with suppress(*GONE):
                return self.api.task(task)
            return None

        return wait_until(ask, PATIENCE, "an answer") or {}

    def end(self, task: str) -> dict[str, dict[str, Any]]:
        """Wait for the end of a task, and return its nodes by name."""
        found = wait_until(lambda: t if (t := self.task(task))["state"] >= FINAL else None, PATIENCE, "the end")
        assert found
        return nodes_of(found)

    def shows(self, task: str, name: str = "node", **wanted: Any) -> dict[str, Any]:
        """Wait until a node shows what is wanted; ``reason`` is looked for within."""

        def look() -> dict[str, Any] | None:
            node = nodes_of(self.task(task))[name]
            part = wanted.get("reason", "")
            rest = {key: value for key, value in wanted.items() if key != "reason"}
            right = part in (node["reason"] or "") and all(node[key] == value for key, value in rest.items())
            return node if right else None

        return wait_until(look, PATIENCE, f"node {name} shows {wanted}") or {}

    def runs(self, task: str, name: str = "node") -> int:
        """Return how often a node was run."""
        return self.ledger.read_text().splitlines().count(f"{task} {name}")

    def has_run(self, task: str, name: str = "node") -> None:
        """Return when a node has begun to run."""
        wait_until(lambda: self.runs(task, name), PATIENCE, f"{name} runs")

    def log(self, task: str, name: str = "node") -> bytes:
        return self.api.call("GET", f"/v1/tasks/{task}/nodes/{name}/log").data

    def once(self, task: str, state: int = SUCCESS, name: str = "node") -> dict[str, Any]:
        """Fail unless a node ends in this state after its only attempt, which was run exactly once; return it."""
        node = self.end(task)[name]
        assert (node["state"], node["attempt"], self.runs(task, name)) == (state, 1, 1), node
        return node

    # -- what breaks

    def arm(self, point: str, count: int = 1) -> None:
        """Have the process that reaches this point (for the n-th time) killed."""
        new = self.fault_point.with_suffix(".new")
        new.write_text(f"{point}:{count}")
        new.rename(self.fault_point)

    def died(self) -> None:
        """Return when the process at the fault point is dead."""
        wait_until(lambda: not self.fault_point.exists(), PATIENCE, "the fault point is reached")

    def owner(self, task: str) -> psutil.Process:
        """Return the worker that runs a task."""
        with closing(self.database()) as database:
            query = "select pid from owners join tasks on tasks.owner = owners.id where tasks.id = ?"
            (pid,) = database.execute(query, (task,)).fetchone()
        return psutil.Process(int(pid))

    def database(self) -> sqlite3.Connection:
        """Return a connection of our own to the journal."""
        return sqlite3.connect(self.orchestrator.database, isolation_level=None)

    def restart_executor(self) -> None:
        self.executor.start_server()
        self.in_contact()

    def job(self, task: str, file: str = "") -> Path:
        """Return the directory of the attempt of a task's only node, or a file of it, while it is not put away."""
        return self.executor.data / "jobs" / "live" / f"{task}.0.1" / file


@contextmanager
def house(folder: Path, certs: Path, *, back: dict[str, str] | None = None, **settings: str) -> Iterator[House]:
    """Return a house in which everything runs; nothing of it is left in the end."""
    with ExitStack() as stack:
        found = House(folder, certs, back=back or {}, **settings)
        found.start(stack)
        yield found
