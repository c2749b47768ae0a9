"""A service whose settings file the tests write, and what it says when it reads that again."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import psutil

from support import ROOT, Server, clean_environment, wait_until

LOUD = {"log_format": "json", "log_levels": {"gorchestrator.common.reload": "debug"}}  # has each process tell
PACKAGES = {"serve": "gorchestrator", "executor": "executor"}
SIGNALS = (signal.SIGHUP, signal.SIGUSR2)


@dataclass
class ByHand(Server):
    """A service as gunicorn serves it that somebody starts by hand, with our configuration."""

    scheme: str = "http"

    def start(self) -> None:
        package = PACKAGES[self.arguments[0]]
        options = ["-c", f"python:{package}.gunicorn_conf", "--no-control-socket", "-b", "127.0.0.1:0"]
        with (self.folder / "out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *options, f"{package}.app:create_app()"],
                env=clean_environment(**self.settings),
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
            )
        self.url = wait_until(self._listens, what="gunicorn listens")

    def _listens(self) -> str:
        self.runs()
        line = next((line for line in self.log.splitlines() if "Listening at: " in line and line.endswith("}")), "")
        return line.partition("Listening at: ")[2].partition(" ")[0].replace("http:", f"{self.scheme}:")

    def runs(self) -> None:
        assert self.process
        assert self.process.poll() is None, self.log


class Reloaded:
    """A service, and its file. ``base``: what that says always. ``by_signal``: both signals in turn, else none."""

    def __init__(self, server: Server, file: Path, base: Mapping[str, Any], *, by_signal: bool) -> None:
        self.server = server
        self.file = file
        self.base = {**LOUD, **base}
        self.by_signal = by_signal
        self._signals = cycle(SIGNALS)
        self._replace(toml(self.base))

    def write(self, text: str) -> None:
        """Replace the file in one step, and have it read."""
        self._replace(text)
        if self.by_signal:
            assert self.server.process
            self.server.process.send_signal(next(self._signals))

    def _replace(self, text: str) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.replace(self.file)

    def change(self, **settings: Any) -> dict[str, Any]:
        """Write a file with these settings beside the base; return what is told of it when all processes have them."""
        before, told = self._taken(), len(self.events("settings_reloaded"))
        processes = len(self.workers()) + self.by_signal
        self.write(toml({**self.base, **settings}))
        wait_until(lambda: self._taken() >= before + processes, what="all have the settings")
        return next(iter(self.events("settings_reloaded")[told:]), {})

    def _taken(self) -> int:
        """Return how often a process has taken settings into use, whatever lines look like."""
        return self.server.log.count("taken into use: ")

    def refused(self, text: str) -> dict[str, Any]:
        """Write a file that is refused; return the line that tells of it."""
        before = len(self.events("settings_refused"))
        self.write(text)
        return wait_until(lambda: self.events("settings_refused")[before:], what="the settings are refused")[0]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of JSON in its log with this event."""
        mark = f'"event": "{kind}"'
        return [json.loads(line) for line in self.server.log.splitlines() if mark in line and line.endswith("}")]

    def workers(self) -> dict[int, psutil.Process]:
        """Return gunicorn's processes that serve, by their pids."""
        assert self.server.process
        return {each.pid: each for each in psutil.Process(self.server.process.pid).children()}


def toml(settings: Mapping[str, Any]) -> str:
    """Return a file of settings."""
    return "".join(f"{name} = {_value(value)}\n" for name, value in settings.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


@contextmanager
def running(service: Reloaded) -> Iterator[Reloaded]:
    """Start a service, and stop it in the end."""
    try:
        service.server.start()
        yield service
    finally:
        service.server.stop()
