"""The README's walk-through is run against the two real services, command by command."""

import json
import re
import shlex
import subprocess
import sys

import pytest

from gorchestrator.remote import Refused
from support import ROOT, Server, Services, clean_environment

PROGRAM = shlex.join([sys.executable, "-m", "gorchestrator.cli"])
README = (ROOT / "README.rst").read_text("utf-8")


def commands():
    return [line.strip().removeprefix("$ ") for line in README.splitlines() if line.startswith("    $ ")]


def test_the_walk_through_runs(service, tmp_path):
    script = tmp_path / "walk.sh"
    lines = [line.replace("http://127.0.0.1:8080", service.url) for line in commands()]
    assert len(lines) >= 12
    script.write_text("\n".join([f'gorch() {{ {PROGRAM} "$@"; }}', "set -euxo pipefail", *lines, ""]))
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


def test_the_deployment_starts_and_neither_service_can_read_the_key_of_the_ca(tmp_path):
    block = README.partition("\nDeployment\n")[2].partition(".. code-block:: sh\n\n")[2].partition("\n\n")[0]
    lines = [line.strip() for line in re.sub("/(etc|var/lib)/", rf"{tmp_path}/\\1/", block).splitlines()]
    script = [f'gorch() {{ PYTHONPATH={ROOT} {PROGRAM} "$@"; }}', "set -euxo pipefail", *lines[:-2]]
    subprocess.run(["bash", "-c", "\n".join(script)], env=clean_environment(HOME=str(tmp_path)), cwd=ROOT, check=True)
    assert [path.parent.name for path in tmp_path.rglob("ca.key")] == ["gorch-ca"]
    executor, orchestrator = (started(line, tmp_path) for line in lines[-2:])
    assert (executor.arguments[0], orchestrator.arguments[0]) == ("executor", "serve")
    try:
        executor.start()
        orchestrator.settings["GORCH_EXECUTORS"] = f"executor={executor.url}"
        orchestrator.start()
        services = Services(orchestrator, executor, tmp_path)
        services.wait_until_ready()
        services.remote.close()
    finally:
        orchestrator.stop()
        executor.stop()


def started(line, folder):
    """Return the service that a line such as ``GORCH_X=y gorch serve --z`` starts."""
    words = shlex.split(line)
    place = words.index("gorch")
    own = folder / words[place + 1]
    own.mkdir()
    return Server(words[place + 1 :], dict(word.split("=", 1) for word in words[:place]), own)


def test_the_gorch_of_the_format_runs(service):
    text = README.partition(".. code-block:: json\n")[2].partition("\n\n\n")[0].split("\n\nKeys of")[0]
    gorch = json.loads(text)
    task = service.remote.wait(service.remote.submit(gorch))
    assert task["state"] == 3
    assert service.remote.log(task["id"], "greet").data == b"hello world\n"


def test_unknown_keys_are_refused_as_the_readme_says(service):
    with pytest.raises(Refused, match="fault"):
        service.remote.validate({"name": "x", "nodes": [{"name": "a", "nods": []}]})
