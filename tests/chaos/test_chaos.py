"""The chaos run: a short one that always fails or passes in the same way, and the long one, for ``-m slow``."""

import subprocess
import sys

import pytest

from support import ROOT, clean_environment

KINDS = ("executor", "keeper", "orchestrator", "worker")


def run(*arguments):
    command = [sys.executable, str(ROOT / "tests" / "chaos" / "chaos.py"), *arguments]
    done = subprocess.run(
        command, env=clean_environment(), cwd=ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_short_chaos():
    printed = run("--seconds", "6", "--seed", "7", "--kills", "8")
    assert "seed 7\n" in printed
    assert "duplicates 0, lost 0, left 0" in printed


@pytest.mark.slow
def test_a_long_chaos():
    printed = run("--seconds", "120", "--seed", "1")
    counts = dict(reversed(part.split()) for part in printed.splitlines()[1].partition(": ")[2].split(", "))
    assert sum(map(int, counts.values())) >= 30
    assert all(int(counts[kind]) >= 5 for kind in KINDS)
