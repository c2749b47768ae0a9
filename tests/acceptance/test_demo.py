"""``gorch demo`` as a newcomer meets it, and what is left when it ends in any way."""

import os
import pty
import re
import signal
import subprocess
from contextlib import suppress

import psutil
import pytest

from gorchestrator.remote import Remote
from support import PATIENCE, ROOT, clean_environment, command, run_gorch, unmeasured, wait_until


def processes(data):
    """Return the processes that work on a data directory, but not the demo itself."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(data) in line and "gorchestrator.cli demo" not in line:
            found.append(process)
    return found


def servers(data):
    return [process for process in processes(data) if "gunicorn" in " ".join(process.info["cmdline"])]


class Demo:
    """A demo that stays up."""

    def __init__(self, data):
        self.data = data
        self.out = data.parent / "demo.out"
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                command("demo", "--port", "0", "--data", str(data)),
                env=clean_environment(),
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def said(self):
        return self.out.read_text("utf-8", "replace")

    def wait_for(self, text, deadline=2 * PATIENCE):
        def found():
            if self.process.poll() is not None:
                pytest.fail(f"the demo ended with {self.process.returncode}: {self.said()}")
            return text in self.said()

        wait_until(found, deadline, f"{text!r} in what the demo says")
        return self

    @property
    def url(self):
        return re.search(r"are up: (\S+)", self.said())[1]

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(tmp_path):
    """Start demos; whatever is left of them in the end is killed."""
    data = tmp_path / "demo"
    started = []

    def begin():
        started.append(Demo(data))
        return started[-1]

    with unmeasured():
        yield begin
    for demo in started:
        demo.process.kill()
        demo.process.wait()
    for process in processes(data):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def test_once_runs_every_example_and_leaves_nothing_behind(tmp_path):
    data = tmp_path / "demo"
    done = run_gorch("demo", "--once", "--port", "0", "--data", data, timeout=2 * PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Made certificates for mutual TLS" in done.stdout
    assert re.search(r"diamond: \w+, \d of 4 nodes done", done.stdout)  # a busy machine may see only its end
    assert re.search(r"join +success +success ✓ +\d+ ms +left=hello, right=0.300", done.stdout)
    assert re.search(r"after +notrunnable +notrunnable ✓", done.stdout)
    assert "All 7 graphs ended as they have to." in done.stdout
    assert processes(data) == []
    assert (data / "certs" / "ca.key").stat().st_mode & 0o777 == 0o600
    assert data.stat().st_mode & 0o777 == 0o700


def test_it_stays_up_until_ctrl_c(start, tmp_path):
    demo = start().wait_for("Ctrl-C")
    said = demo.said()
    assert f"API        {demo.url}/v1/tasks" in said
    assert f"API docs   {demo.url}/apidocs/" in said
    remote = Remote(demo.url)
    assert len(remote.tasks()["tasks"]) == 7
    sleeper = {"name": "sleeper", "engine": "shell", "artifact": "sleep", "args": ["613.5"]}
    task = remote.submit({"name": "long", "nodes": [sleeper]})
    wait_until(lambda: remote.task(task)["nodes"][0]["state"] == 2, what="running")
    for _ in range(100):  # as many as a list has unless it is asked for more
        remote.submit({"nodes": [{"name": "a"}]})
    wait_until(
        lambda: [each["id"] for each in remote.tasks(state="open")["tasks"]] == [task], what="the end of the others"
    )
    remote.close()
    again = run_gorch("demo", "--port", "0", "--data", demo.data)
    assert again.returncode == 2
    assert "another demo runs on" in again.stderr
    assert demo.stop() == 0
    assert "Canceling 1 unfinished" in demo.said()
    assert processes(demo.data) == []
    assert not [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", "613.5"]]


def test_killed_it_leaves_no_server_and_a_new_one_goes_on(start, tmp_path):
    """Also with a graph that has the name of an example and is none."""
    demo = start().wait_for("Ctrl-C")
    ledger = tmp_path / "ledger"
    script = (
        f"#!/bin/sh\necho begin >> {ledger}\nwhile [ ! -e {tmp_path}/go ]; do sleep 0.05; done\necho end >> {ledger}\n"
    )
    remote = Remote(demo.url)
    nodes = [{"name": "a", "engine": "shell", "artifact": script}, {"name": "b", "needs": ["a"]}]
    task = remote.submit({"name": "diamond", "nodes": nodes})
    remote.close()
    wait_until(ledger.exists, what="the node")
    demo.stop(signal.SIGKILL)
    wait_until(lambda: servers(demo.data) == [], what="no server is left")
    assert ledger.read_text() == "begin\n"
    other = start().wait_for("Going on with what an earlier demo left unfinished: diamond")
    (tmp_path / "go").touch()
    other.wait_for("Ctrl-C")
    assert "All 8 graphs ended as they have to." in other.said()
    remote = Remote(other.url)
    assert remote.task(task)["state"] == 3
    remote.close()
    assert ledger.read_text() == "begin\nend\n"
    assert other.stop(signal.SIGTERM) == 0
    assert processes(demo.data) == []


def test_a_server_that_dies_is_started_again(start):
    demo = start().wait_for("Ctrl-C")
    remote = Remote(demo.url)
    gorch = {"name": "again", "nodes": [{"name": "a", "engine": "shell", "artifact": "true"}]}

    def runs():
        with suppress(Exception):
            return remote.wait(remote.submit(gorch))["state"] == 3
        return False

    for name, package in (("orchestrator", "gorchestrator"), ("executor", "executor")):
        own = [each for each in servers(demo.data) if each.ppid() == demo.process.pid]
        (arbiter,) = [each for each in own if f" {package}.app" in " ".join(each.cmdline())]
        arbiter.kill()
        demo.wait_for(f"the {name} died (killed by SIGKILL); it is started again in 0.5 s. Log: ")
        wait_until(runs, what="a graph runs again")
    remote.close()
    assert demo.stop() == 0
    # The workers of a gunicorn that was killed find that out within seconds; all the rest is gone already.
    wait_until(lambda: processes(demo.data) == [], what="nothing is left")


def test_a_server_that_does_not_start_is_said_with_the_end_of_its_log(tmp_path):
    data = tmp_path / "demo"
    (data / "orchestrator").mkdir(parents=True)
    (data / "orchestrator" / "gorchestrator.db").write_text("this is no database at all, but a text of some length")
    done = run_gorch("demo", "--once", "--port", "0", "--data", data, timeout=2 * PATIENCE)
    assert done.returncode == 2
    assert "Error: the orchestrator does not start; its log is" in done.stderr
    assert "cannot start: The database" in done.stderr
    assert "Traceback" not in done.stderr
    assert "started again" not in done.stdout
    assert processes(data) == []


def test_on_a_terminal_it_shows_a_table_that_lives(tmp_path):
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        command("demo", "--once", "--port", "0", "--data", str(tmp_path / "demo")),
        env=clean_environment(TERM="xterm", COLUMNS="120"),
        cwd=ROOT,
        stdin=inner,
        stdout=inner,
        stderr=inner,
    )
    os.close(inner)
    said = b""
    with suppress(OSError):  # the terminal ends with the process
        while piece := os.read(outer, 65536):
            said += piece
    os.close(outer)
    assert process.wait(PATIENCE) == 0
    text = said.decode()
    assert "ELAPSED" in text
    assert "\x1b[" in text
    assert "All 7 graphs ended as they have to." in text
