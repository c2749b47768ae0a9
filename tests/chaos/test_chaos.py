"""The chaos run: a short one that always fails or passes in the same way, and the long one, for ``-m slow``."""

import os
import subprocess
import sys

import pytest

from chaos import chaos
from support import ROOT, clean_environment

pytestmark = pytest.mark.usefixtures("unmeasured")
RIGHT = {"graphs": 3, "final": 3, "nodes": 9, "succeeded": 9, "duplicates": 0, "lost": 0, "orphans": 0, "left": 0}


def run(*arguments):
    command = [sys.executable, str(ROOT / "tests" / "chaos" / "chaos.py"), *arguments]
    done = subprocess.run(
        command, env=clean_environment(), cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow  # `tox -e chaos` does the same for longer
def test_a_short_chaos():
    printed = run("--seconds", "3", "--seed", "7", "11", "--kills", "5", "--graphs", "8")
    assert "seed 7 11\n" in printed
    assert printed.count("kills 5: 1 arbiter, 1 executor, 1 keeper, 1 orchestrator, 1 worker\n") == 2
    assert printed.count("duplicates 0, lost 0, orphans 0, left 0") == 2


@pytest.mark.slow
def test_a_long_chaos():
    assert "duplicates 0, lost 0, orphans 0, left 0" in run("--seconds", "120", "--seed", "1")


@pytest.mark.parametrize(
    ("counts", "kills", "planned", "right"),
    [
        ({}, dict.fromkeys(chaos.KINDS, 6), 40, True),
        ({}, dict.fromkeys(chaos.KINDS, 5), 40, False),  # 25 in all
        ({}, dict.fromkeys(chaos.KINDS, 8) | {"keeper": 4}, 40, False),
        ({}, dict.fromkeys(chaos.KINDS, 1), 5, True),
        ({"graphs": 4, "final": 4}, dict.fromkeys(chaos.KINDS, 1), 5, True),
        ({}, dict.fromkeys(chaos.KINDS[1:], 2), 5, False),
        ({"final": 2}, dict.fromkeys(chaos.KINDS, 1), 5, False),
        ({"graphs": 2, "final": 2}, dict.fromkeys(chaos.KINDS, 1), 5, False),
        ({"succeeded": 8}, dict.fromkeys(chaos.KINDS, 1), 5, False),
        *(({name: 1}, dict.fromkeys(chaos.KINDS, 1), 5, False) for name in ("duplicates", "lost", "orphans", "left")),
    ],
)
def test_a_run_is_right_if_all_promises_held_and_enough_was_killed(counts, kills, planned, right):
    assert chaos.is_right(RIGHT | counts, kills, graphs=3, planned=planned) is right


@pytest.mark.parametrize("sign", ["folder", "mark", "task"])
def test_what_is_left_is_found_by_any_of_its_signs(tmp_path, sign):
    variables = {"mark": {chaos.MARK: "of this run"}, "task": {"GORCH_TASK_ID": "a1"}}.get(sign, {})
    script = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, *([str(tmp_path)] if sign == "folder" else [])]
    env = os.environ | variables
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline()
        assert chaos.left(tmp_path, "of this run", ["a0", "a1"]) == [process.pid]
        assert chaos.left(tmp_path / "other", "of another one", ["a0"]) == []
    assert chaos.left(tmp_path, "of this run", ["a0", "a1"]) == []
