"""What the document on deployment says of upgrades is done, with a journal of the first schema and a real service.

``systemctl`` and ``sudo`` are stand-ins: nobody but systemd is systemd, and the tests may not be allowed to be root.
"""

import os
import shlex
import socket
import subprocess
import sys
import tomllib

import pytest

from docs_support import files, play, transcript
from executor.config import Config as ExecutorConfig
from gorchestrator.config import Config
from gorchestrator.store import migrations, schema
from support import ROOT

DOCUMENT = ROOT / "docs" / "deployment.rst"
PROGRAM = f"PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m gorchestrator.cli"
SYSTEMCTL = """#!/bin/bash
cd {folder}
case "$1 $2" in
"start gorchestrator")
    GORCH_CONFIG={folder}/etc/orchestrator.toml setsid opt/current/bin/gorch serve >> log 2>&1 &
    echo $! > pid
    until curl -sf "$GORCH_URL/readyz" > /dev/null; do sleep 0.05; [ -d "/proc/$(cat pid)" ] || exit 1; done ;;
"stop gorchestrator")
    [ ! -e pid ] || kill "$(cat pid)"
    rm -f pid
    until flock -n {folder}/data true; do sleep 0.05; done ;;
*) exit 1 ;;
esac
"""
SUDO = '#!/bin/bash\n[ "$1" != -u ] || shift 2\nexec env "$@"\n'


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path, certs):
    """Make what the document says of a machine: two versions beside each other, settings, and an old journal."""
    for version in ("0.1.0", "0.2.0"):
        program(tmp_path / "opt" / version / "bin" / "gorch", f'#!/bin/sh\n{PROGRAM} "$@"\n')
    (tmp_path / "opt" / "current").symlink_to("0.1.0")
    program(tmp_path / "bin" / "systemctl", SYSTEMCTL.format(folder=tmp_path))
    program(tmp_path / "bin" / "sudo", SUDO)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "orchestrator").symlink_to(certs)
    (tmp_path / "data").mkdir(mode=0o700)
    migrations.run(tmp_path / "data" / "gorchestrator.db", schema.REVISIONS[0])
    return tmp_path


@pytest.fixture
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_the_upgrade_and_the_way_back(machine, port):
    url = f"http://127.0.0.1:{port}"
    replace = {
        "/opt/gorchestrator": str(machine / "opt"),
        "/etc/gorchestrator": str(machine / "etc"),
        "/var/lib/gorchestrator": str(machine / "data"),
        "http://127.0.0.1:8080": url,
    }
    text = files(DOCUMENT)["orchestrator.toml"]
    for old, new in replace.items():
        text = text.replace(old, new)
    (machine / "etc" / "orchestrator.toml").write_text(text)
    settings = {"PATH": f"{machine / 'bin'}:{os.environ['PATH']}", "GORCH_URL": url, "GORCH_PORT": str(port)}
    try:
        wrong = play(transcript(DOCUMENT, "shell-session"), machine, replace, **settings)
    finally:
        subprocess.run([machine / "bin" / "systemctl", "stop", "gorchestrator"], check=True)
    assert not wrong, "\n\n".join(wrong) + (machine / "log").read_text()
    assert schema.revision(machine / "data" / "gorchestrator.db") == schema.REVISIONS[0]
    assert os.readlink(machine / "opt" / "current") == "0.1.0"


@pytest.mark.parametrize(("name", "config"), [("orchestrator", Config), ("executor", ExecutorConfig)])
def test_the_settings_are_right(tmp_path, name, config):
    text = files(DOCUMENT)[f"{name}.toml"]
    (tmp_path / "settings.toml").write_text(text)
    variable = "GORCH_CONFIG" if config is Config else "GORCH_EXECUTOR_CONFIG"
    loaded = config.load({variable: str(tmp_path / "settings.toml"), "HOME": str(tmp_path)})
    given = {key for key, source in loaded.sources.items() if source.startswith("file")}
    assert given == tomllib.loads(text).keys()


def test_nobody_reaches_the_service_through_the_proxy_without_a_token():
    assert tomllib.loads(files(DOCUMENT)["orchestrator.toml"])["access"] == "required"
