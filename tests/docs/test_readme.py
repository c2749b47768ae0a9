"""The README's walk-through is run against the two real services, command by command."""

import json
import shlex
import subprocess
import sys

import pytest

from gorchestrator.remote import Refused
from support import ROOT, clean_environment

README = (ROOT / "README.rst").read_text("utf-8")


def commands():
    return [line.strip().removeprefix("$ ") for line in README.splitlines() if line.startswith("    $ ")]


def test_the_walk_through_runs(service, tmp_path):
    script = tmp_path / "walk.sh"
    program = shlex.join([sys.executable, "-m", "gorchestrator.cli"])
    lines = [line.replace("http://127.0.0.1:8080", service.url) for line in commands()]
    assert len(lines) >= 12
    script.write_text("\n".join([f'gorch() {{ {program} "$@"; }}', "set -euxo pipefail", *lines, ""]))
    done = subprocess.run(
        ["bash", str(script)],
        cwd=ROOT,
        env=clean_environment(GORCH_URL=service.url),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "202 ACCEPTED" in done.stdout
    assert "left=hello" in done.stdout
    assert '"/nodes/0/needs/0"' in done.stdout or "/nodes/0/needs" in done.stdout


def test_the_gorch_of_the_format_runs(service):
    text = README.partition(".. code-block:: json\n")[2].partition("\n\n\n")[0].split("\n\nKeys of")[0]
    gorch = json.loads(text)
    task = service.remote.wait(service.remote.submit(gorch))
    assert task["state"] == 3
    assert service.remote.log(task["id"], "greet").data == b"hello world\n"


def test_unknown_keys_are_refused_as_the_readme_says(service):
    with pytest.raises(Refused, match="fault"):
        service.remote.validate({"name": "x", "nodes": [{"name": "a", "nods": []}]})
