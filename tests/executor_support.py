"""Parts of the executor's tests: a real executor (gunicorn, mutual TLS) and a client that speaks its API."""

import base64
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from support import ROOT, Server, clean_environment, wait_until

FINAL = 3


def script(*lines: str, interpreter: str = "/bin/sh") -> str:
    return "\n".join([f"#!{interpreter}", *lines, ""])


def new_id(node: int = 0, attempt: int = 1) -> str:
    return f"{uuid.uuid4().hex}.{node}.{attempt}"


def body(artifact: str = "/bin/true", *args: str, **fields: Any) -> dict[str, Any]:
    return {"name": "node", "engine": "shell", "artifact": artifact, "args": list(args), **fields}


@dataclass
class PlainGunicorn(Server):
    """The executor as gunicorn serves it without a configuration of ours."""

    cert_reqs: int = 2

    def start(self) -> None:
        certs = Path(self.settings["GORCH_EXECUTOR_CERTS"])
        options = ["--certfile", certs / "executor.pem", "--keyfile", certs / "executor.key"]
        options += [
            "--ca-certs",
            certs / "ca.pem",
            "--cert-reqs",
            str(self.cert_reqs),
            "--bind",
            f"127.0.0.1:{self._port()}",
        ]
        options += ["--no-control-socket"]  # one would be below HOME, where other tests have theirs
        command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", "1", *options, "wsgi:executor()"]
        env = clean_environment(**self.settings)
        with (self.folder / "out").open("ab") as out, (self.folder / "err").open("ab") as err:
            self.process = subprocess.Popen(command, env=env, stdout=out, stderr=err, cwd=ROOT)
        self.url = wait_until(self._said)

    def _port(self) -> str:
        return self.url.rpartition(":")[2] or "0"


@dataclass
class Executor:
    """An executor as a process of its own, and a client of it."""

    folder: Path
    certs: Path
    settings: dict[str, str] = field(default_factory=dict)
    kind: type[Server] = Server

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.data = self.folder / "data"
        env = {"GORCH_EXECUTOR_DATA": str(self.data), "GORCH_EXECUTOR_CERTS": str(self.certs)}
        self.server = self.kind(["executor"], env | self.settings, self.folder)
        self.session = self.new_session()

    def new_session(self, cert: tuple[Path, Path] | None = None) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.certs / "ca.pem")
        pair = cert or (self.certs / "orchestrator.pem", self.certs / "orchestrator.key")
        session.cert = (str(pair[0]), str(pair[1]))
        return session

    def start_server(self) -> None:
        """Start it, perhaps again, and return when it answers."""
        self.server.start()
        wait_until(self._answers, what="an answer to ping")

    def _answers(self) -> bool:
        self.server.runs()
        try:
            return self.call("GET", "ping").status_code < 500
        except requests.ConnectionError:
            return False

    def call(self, method: str, path: str, *, wait: int | None = None, **options: Any) -> requests.Response:
        headers = {} if wait is None else {"Prefer": f"wait={wait}"}
        url = f"{self.server.url}/v1/{path}"
        return self.session.request(method, url, headers=headers, timeout=60, **options)

    def put(self, job_id: str, document: dict[str, Any], wait: int | None = 1) -> requests.Response:
        return self.call("PUT", f"tasks/{job_id}", json=document, wait=wait)

    def put_in(self, context: str, job_id: str, document: dict[str, Any]) -> dict[str, Any]:
        """Run an attempt to its end in a trace context; returns the job."""
        headers, url = {"traceparent": context}, f"{self.server.url}/v1/tasks/{job_id}"
        answer = self.session.put(url, json=document, headers=headers, timeout=60)
        assert answer.status_code in (200, 202), answer.text
        return self.end(job_id)

    def get(self, job_id: str, wait: int | None = None, **query: Any) -> dict[str, Any]:
        answer = self.call("GET", f"tasks/{job_id}", wait=wait, params=query)
        assert answer.status_code in (200, 202), answer.text
        found: dict[str, Any] = answer.json()
        return found

    def end(self, job_id: str) -> dict[str, Any]:
        """Return the job when it has ended."""
        return wait_until(lambda: job if (job := self.get(job_id, wait=10))["state"] >= FINAL else None, 60)

    def run(self, document: dict[str, Any]) -> dict[str, Any]:
        """Run an attempt to its end; returns the job with the start of its log as bytes."""
        job_id = new_id()
        answer = self.put(job_id, document)
        assert answer.status_code in (200, 202), answer.text
        job: dict[str, Any] = answer.json()
        if job["state"] < FINAL:
            self.end(job_id)
            job = self.get(job_id, log_from=0)
        return job | {"log": base64.b64decode(job["log"])}

    def start(self, document: dict[str, Any]) -> str:
        """Start an attempt; returns its id when it has printed something."""
        job_id = new_id()
        assert self.put(job_id, document, wait=None).status_code == 202
        wait_until(lambda: self.get(job_id)["log_size"])
        return job_id

    def delete(self, job_id: str, **query: Any) -> requests.Response:
        return self.call("DELETE", f"tasks/{job_id}", params=query)

    def log_of(self, job_id: str) -> str:
        return base64.b64decode(self.get(job_id, log_from=0)["log"]).decode()

    def pieces(self, job_id: str) -> list[tuple[int, bytes]]:
        """Return the whole log of what has ended: offsets, and what is there without a gap."""
        found: list[tuple[int, bytes]] = []
        offset = 0
        while True:
            job = self.get(job_id, log_from=offset)
            data = base64.b64decode(job["log"])
            if found and job["log_from"] == offset:
                found[-1] = (found[-1][0], found[-1][1] + data)
            else:
                found.append((job["log_from"], data))
            offset = job["log_next"]
            if offset >= job["log_size"]:
                return found

    def keepers(self) -> list[psutil.Process]:
        """Return keeper and shims of this data directory."""
        return [each for each in psutil.process_iter() if f"executor.keeper {self.data}" in _command_line(each)]

    def writers(self) -> list[psutil.Process]:
        """Return the processes that write its files."""
        return [self.worker(), *self.keepers()]

    def kill_everything(self) -> None:
        """Kill keepers, shims and what these run, as a reboot does."""
        for each in self.keepers():
            with suppress(psutil.NoSuchProcess):
                for process in [*each.children(recursive=True), each]:
                    with suppress(psutil.NoSuchProcess):
                        process.kill()

    def worker(self) -> psutil.Process:
        assert self.server.process
        process = psutil.Process(self.server.process.pid)
        return wait_until(process.children)[0]


@contextmanager
def started(executor: Executor) -> Iterator[Executor]:
    """Start an executor, and leave nothing behind: neither it nor keeper, shims and what these run."""
    executor.start_server()
    try:
        yield executor
    finally:
        executor.session.close()
        executor.server.stop()
        executor.kill_everything()


def alive(mark: str) -> list[int]:
    """Return the pids of processes whose command line has ``mark``."""
    return [each.pid for each in psutil.process_iter() if mark in _command_line(each)]


def gone(mark: str) -> Callable[[], bool]:
    return lambda: not alive(mark)


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) if process.status() != psutil.STATUS_ZOMBIE else ""
    except psutil.NoSuchProcess:
        return ""
