"""Parts of tests: waiting for a condition, the command ``gorch``, and the two services as real processes."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from gorchestrator.remote import Remote
from gorchestrator.store import schema

ROOT = Path(__file__).resolve().parents[1]
T = TypeVar("T")
# Seconds until what has to happen counts as not happening: a busy machine needs many times what a quiet one does, and
# nobody waits for it unless something is wrong.
PATIENCE = 60.0
_MEASURING = "COVERAGE_PROCESS_"  # begins the names of the variables that have processes measure their coverage


def wait_until(condition: Callable[[], T], deadline: float = PATIENCE, what: str = "") -> T:
    """Return the condition's value once it is true; fail after ``deadline`` seconds.

    It looks the less often the longer that takes and the more a look costs: each is work for the services too.
    """
    begin = time.monotonic()
    end = begin + deadline
    while True:
        look = time.monotonic()
        found = condition()
        if found:
            return found
        now = time.monotonic()
        if now > end:
            pytest.fail(f"not within {deadline:g} s: {what or condition}")
        time.sleep(max(0.02, min(0.25, (now - begin) / 10), min(0.5, 2 * (now - look))))


@contextmanager
def unmeasured() -> Iterator[None]:
    """Have what is started meanwhile not measure its coverage.

    That costs each process of a service most of its start once more. It is for tests that start services over and over
    to kill them: those die without writing down what was measured, or while they do.
    """
    kept = {name: value for name, value in os.environ.items() if name.startswith(_MEASURING)}
    for name in kept:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(kept)


@cache
def _empty_journal() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    schema.ensure(folder / "gorchestrator.db")
    return folder / "gorchestrator.db"


def give_journal(data: Path) -> None:
    """Give an orchestrator that starts for the first time an empty journal.

    To make one is a tenth of a start, and there are hundreds of them. What is started by other means makes its own.
    """
    if not any(data.glob("gorchestrator.db*")):
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(_empty_journal(), data)


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment without settings of gorchestrator, and with the given ones."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GORCH_")} | settings


def command(*arguments: str) -> list[str]:
    """Return the command line of ``gorch``."""
    return [sys.executable, "-m", "gorchestrator.cli", *arguments]


def run_gorch(
    *arguments: object, env: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 2 * PATIENCE
) -> subprocess.CompletedProcess[str]:
    """Run ``gorch`` to its end."""
    return subprocess.run(
        command(*map(str, arguments)),
        input=stdin,
        env=clean_environment(**(env or {})),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@dataclass
class Server:
    """One of the two services as a real process. Its output goes to files."""

    arguments: list[str]
    settings: dict[str, str]
    folder: Path
    cwd: Path = ROOT
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    begin: int = 0  # of what it has said since it was started, as bytes of its standard error

    def start(self) -> None:
        """Start it and find out its URL; started again, it takes the same port."""
        port = self.url.rpartition(":")[2] or "0"
        if not self.url and "GORCH_DATA" in self.settings:
            give_journal(Path(self.settings["GORCH_DATA"]))
        with (self.folder / "out").open("ab") as out, (self.folder / "err").open("ab") as err:
            self.begin = err.tell()
            self.process = subprocess.Popen(
                command(*self.arguments, "--port", port),
                env=clean_environment(**self.settings),
                stdout=out,
                stderr=err,
                cwd=self.cwd,
            )
        self.url = wait_until(self._said, what=f"the URL of {self.arguments}")

    def kill(self) -> None:
        """Kill it and its workers, as a power cut does; what an executor runs lives on."""
        assert self.process
        workers = psutil.Process(self.process.pid).children()
        for process in [self.process, *workers]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        wait_until(lambda: all(map(_ended, workers)), what="its workers have ended")

    def stop(self) -> None:
        """End it with SIGTERM."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    @property
    def log(self) -> str:
        """Everything it has printed to standard output."""
        return (self.folder / "out").read_text("utf-8", "replace")

    def runs(self) -> None:
        """Fail if it has ended, with all that it has said since it was started: who waits for it need not wait on."""
        assert self.process
        if self.process.poll() is not None:
            pytest.fail(f"{self.arguments} ended with status {self.process.returncode}: {self._text()}\n{self.log}")

    def _text(self) -> str:
        return (self.folder / "err").read_bytes()[self.begin :].decode("utf-8", "replace")

    def _said(self) -> str:
        self.runs()
        found = re.search(r"https?://\S+:\d+", self._text())
        return found[0] if found else ""


@dataclass
class Services:
    """An orchestrator and its executor."""

    orchestrator: Server
    executor: Server
    certs: Path
    remote: Remote = field(init=False)

    def __post_init__(self) -> None:
        self.remote = Remote(self.url)

    @property
    def url(self) -> str:
        """The orchestrator's URL."""
        return self.orchestrator.url

    def wait_until_ready(self) -> None:
        """Return when the orchestrator answers and reaches its executor."""
        wait_until(self._ready, what="the services are ready")

    def _ready(self) -> bool:
        self.orchestrator.runs()
        self.executor.runs()
        with suppress(Exception):
            return all(each["reachable"] for each in self.remote.ping()["executors"])
        return False


def start_services(
    folder: Path, certs: Path, orchestrator: Mapping[str, str] | None = None, executor: Mapping[str, str] | None = None
) -> Iterator[Services]:
    """Start both services with their data below ``folder`` and further settings; stop them in the end."""
    folders = {name: folder / name for name in ("orchestrator", "executor")}
    for path in folders.values():
        path.mkdir()
    back = Server(
        ["executor"],
        {"GORCH_EXECUTOR_DATA": str(folders["executor"]), "GORCH_EXECUTOR_CERTS": str(certs), **(executor or {})},
        folders["executor"],
    )
    front = Server(
        ["serve"],
        {"GORCH_DATA": str(folders["orchestrator"]), "GORCH_CERTS": str(certs), **(orchestrator or {})},
        folders["orchestrator"],
    )
    try:
        back.start()
        front.settings["GORCH_EXECUTORS"] = f"executor={back.url}"
        front.start()
        services = Services(front, back, certs)
        services.wait_until_ready()
        yield services
        services.remote.close()
    finally:
        front.stop()
        back.stop()


def _ended(process: psutil.Process) -> bool:
    """Whether a process has let go of its files; who collects orphans may take seconds to do so."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() == 1
    except psutil.NoSuchProcess:
        return True
