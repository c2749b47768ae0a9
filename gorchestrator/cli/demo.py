"""``gorch demo``: an executor and an orchestrator as two real servers, and all examples run on them."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click

from gorchestrator.cli import examples, report, tables
from gorchestrator.cli.children import Child, Supervisor
from gorchestrator.cli.failure import Failure
from gorchestrator.cli.progress import Display, display
from gorchestrator.cli.workplace import Workplace
from gorchestrator.common import serving
from gorchestrator.common.checks import state_home
from gorchestrator.common.states import State
from gorchestrator.remote import Remote, RemoteError, Unreachable

READY_TIMEOUT = 60.0  # seconds that the servers have to answer
LOST_TIMEOUT = 60.0  # seconds without an answer after which the demo gives up waiting for its graphs
CANCEL_TIMEOUT = 20.0  # seconds that running nodes have to die when the demo is stopped
MOST = 1000  # unfinished graphs that it looks after: as many as one list has
LOOK = 0.15  # seconds between two looks at the tasks
Task = Mapping[str, Any]


class Stopped(BaseException):
    """Ctrl-C, or another wish that the demo ends. No handler of errors may swallow it."""


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="Port of the orchestrator; 0: any free one.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (in the user's state).")
@click.option("--once", is_flag=True, help="Stop after the last graph; status 0 if all ended as they have to.")
def demo(port: int, data: Path | None, once: bool) -> None:
    """Start an executor and an orchestrator, run the example graphs, and stay up until Ctrl-C."""
    place = Workplace((data or state_home(os.environ) / "demo").absolute())
    wrong = True
    with _signals():
        try:
            place.open()
            wrong = _run(place, port, once)
        except Stopped:
            click.echo("Stopped.", err=True)
        finally:
            place.close()
    raise SystemExit(1 if wrong and once else 0)


def _run(place: Workplace, port: int, once: bool) -> bool:
    """Return whether a graph ended in another way than it has to."""
    if place.make_certificates():
        click.echo(f"Made certificates for mutual TLS in {place.certs}")
    if place.upgrade():
        click.echo(f"Upgraded the journal of an earlier version's demo in {place.orchestrator}")
    voice = Voice()
    children = _children(place, port)
    url = serving.url_of(children[-1].sock, "http")
    remote = Remote(url, timeout=10)
    supervisor = Supervisor(children, os.getpid(), voice.say, place.remember)
    supervisor.start()
    ready = False
    try:
        _wait_until_ready(url, supervisor)
        ready = True
        supervisor.restarting.set()
        click.echo(f"Executor and orchestrator are up: {url}")
        with voice.on(display()) as shown:
            tasks = _run_examples(remote, place, shown)
        wrong = report.show(tasks, _examples_of(place))
        if not once:
            report.show_addresses(url, serving.url_of(children[0].sock, "https"), place)
            _stay(supervisor)
    finally:
        _ignore_signals()
        if ready:
            _cancel_open(remote)
        remote.close()  # a server waits for its open connections
        supervisor.stop()
        alive = place.wait_for_keepers()
        if alive:
            click.echo(f"What nodes have left running lives on, below the processes {alive}", err=True)
        for child in children:
            child.sock.close()
    return wrong


def _print(line: str) -> None:
    click.echo(line)


class Voice:
    """Where the supervisor's messages go: beside the progress display while there is one."""

    def __init__(self) -> None:
        self._say: Callable[[str], None] = _print

    def say(self, line: str) -> None:
        """Print a line."""
        self._say(line)

    @contextmanager
    def on(self, shown: Display) -> Iterator[Display]:
        """Speak through a display."""
        with shown:
            self._say, before = shown.say, self._say
            try:
                yield shown
            finally:
                self._say = before


def _children(place: Workplace, port: int) -> Sequence[Child]:
    try:
        front = serving.listen("127.0.0.1", port)
        back = serving.listen("127.0.0.1", 0)
    except serving.ServingError as error:
        raise Failure(str(error)) from error
    executor = {
        "GORCH_EXECUTOR_DATA": str(place.executor),
        "GORCH_EXECUTOR_CERTS": str(place.certs),
        "GORCH_EXECUTOR_LOG_FORMAT": "json",
    }
    orchestrator = {
        "GORCH_DATA": str(place.orchestrator),
        "GORCH_CERTS": str(place.certs),
        "GORCH_EXECUTORS": f"executor={serving.url_of(back, 'https')}",
        "GORCH_LOG_FORMAT": "json",
    }
    return (
        Child("executor", ["executor"], executor, back, place.new_log("executor")),
        Child("orchestrator", ["serve"], orchestrator, front, place.new_log("orchestrator")),
    )


def _wait_until_ready(url: str, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    why: str | None = "they do not answer"
    # The demo holds the port, so a server that is not there yet does not refuse, it is silent.
    with closing(Remote(url, timeout=1)) as remote:
        while time.monotonic() < deadline:
            for child in supervisor.children:
                if child.ended() is not None:
                    why = f"the {child.title} does not start; its log is {child.log}"
                    raise Failure(why, tuple(child.complaints()))
            why = _not_ready(remote)
            if why is None:
                return
            time.sleep(LOOK)
    raise Failure(
        f"the servers are not ready after {READY_TIMEOUT:g} s: {why}; their logs: {supervisor.children[0].log.parent}"
    )


def _not_ready(remote: Remote) -> str | None:
    try:
        found = remote.ping()["executors"]
    except RemoteError as error:
        return str(error)
    return "; ".join(str(each.get("reason")) for each in found if not each["reachable"]) or None


def _run_examples(remote: Remote, place: Workplace, shown: Display) -> list[Task]:
    """Post the examples, go on with what an earlier demo left unfinished, and return all tasks when they have ended."""
    open_tasks = remote.tasks(state="open", limit=MOST)["tasks"]
    unfinished = [task["id"] for task in open_tasks]
    if unfinished:
        names = ", ".join(map(tables.title_of, open_tasks))
        shown.say(f"Going on with what an earlier demo left unfinished: {names}")
    posted = {task: file for task, file in place.posted().items() if task in unfinished}
    for each in examples.load():
        if each.file not in posted.values():
            posted[remote.submit(each.gorch)] = each.file
            place.remember_posted(posted)
    return _follow(remote, list(dict.fromkeys([*unfinished, *posted])), shown)


def _examples_of(place: Workplace) -> dict[str, examples.Example]:
    known = {each.file: each for each in examples.load()}
    return {task: known[file] for task, file in place.posted().items() if file in known}


def _follow(remote: Remote, ids: Sequence[str], shown: Display) -> list[Task]:
    tasks: dict[str, Task] = {}
    waiting = list(ids)
    heard = time.monotonic()
    while waiting:
        try:
            for task in list(waiting):
                tasks[task] = remote.task(task)
                heard = time.monotonic()
                shown.update(tasks[task])
                if State(tasks[task]["state"]).final:
                    waiting.remove(task)
        except Unreachable as error:  # it is being started again
            if time.monotonic() - heard > LOST_TIMEOUT:
                raise Failure(str(error)) from error
        time.sleep(LOOK)
    return [tasks[task] for task in ids]


def _stay(supervisor: Supervisor) -> None:
    while supervisor.is_alive():
        time.sleep(LOOK)
    raise Failure("the servers are not looked after any more")


def _cancel_open(remote: Remote) -> None:
    """Leave no node running behind."""
    try:
        unfinished = [task["id"] for task in remote.tasks(state="open", limit=MOST)["tasks"]]
        if not unfinished:
            return
        click.echo(f"Canceling {len(unfinished)} unfinished graphs …", err=True)
        deadline = time.monotonic() + CANCEL_TIMEOUT
        for task in unfinished:
            remote.cancel(task)
        for task in unfinished:
            remote.cancel(task, wait=max(1.0, deadline - time.monotonic()))
    except RemoteError as error:
        click.echo(f"What runs could not be canceled: {error}", err=True)


@contextmanager
def _signals() -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise Stopped

    before = {number: signal.signal(number, stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    """Let a second Ctrl-C not leave servers behind."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
