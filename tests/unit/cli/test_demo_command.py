import os
import signal

import pytest
from click.testing import CliRunner

from gorchestrator.cli import demo as module
from gorchestrator.cli.demo import Stopped, demo


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command with its servers replaced by a function."""

    def invoke(work, *arguments):
        monkeypatch.setattr(module, "_run", lambda place, port, once: work())
        return CliRunner().invoke(demo, ["--data", str(tmp_path / "demo"), *arguments])

    return invoke


@pytest.mark.parametrize(
    ("wrong", "arguments", "status"), [(True, ["--once"], 1), (False, ["--once"], 0), (True, [], 0)]
)
def test_once_fails_if_a_graph_ended_in_another_way(run, wrong, arguments, status):
    assert run(lambda: wrong, *arguments).exit_code == status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_wish_to_end_is_no_failure_unless_the_graphs_had_to_end_once(run, number):
    def work():
        os.kill(os.getpid(), number)
        raise AssertionError("the signal did not come")

    before = signal.getsignal(number)
    done = run(work)
    assert (done.exit_code, done.stderr) == (0, "Stopped.\n")
    assert run(work, "--once").exit_code == 1
    assert signal.getsignal(number) is before


def test_no_handler_of_errors_swallows_the_wish_to_end():
    assert not issubclass(Stopped, Exception)
