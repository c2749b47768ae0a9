"""The Containerfile, without a registry: that what it takes is there, and that it fits the services."""

import configparser
import re
import subprocess

from executor.config import Config as ExecutorConfig
from gorchestrator.cli.entry import COMMANDS
from gorchestrator.config import Config
from support import ROOT

FILE = ROOT / "examples" / "deployment" / "Containerfile"


def instructions():
    """Return the instructions of the Containerfile with their arguments."""
    text = FILE.read_text("utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]
    found = [line.split(maxsplit=1) for line in lines]
    return [(key, " ".join(value.split())) for key, value in found]


def one(key):
    (found,) = [value for each, value in instructions() if each == key]
    return found


def variables():
    return dict(each.partition("=")[::2] for each in one("ENV").split())


def test_the_image_is_built_of_what_is_there():
    known = {"FROM", "RUN", "COPY", "USER", "WORKDIR", "ENV", "VOLUME", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {key for key, _ in instructions()} == known
    assert re.fullmatch(r"docker\.io/library/python:3\.1[1-9]-slim", one("FROM"))
    source, target = one("COPY").split()
    assert (source, (ROOT / source / "setup.py").is_file()) == (".", True)
    (pip,) = [value for key, value in instructions() if key == "RUN" and "pip install" in value]
    package, extras = re.search(r"'(\S+)\[(\S+)\]'", pip).groups()
    assert package == target
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    assert set(extras.split(",")) <= setup["options.extras_require"].keys()
    for key, value in instructions():
        if key == "RUN":
            subprocess.run(["bash", "-n", "-c", value], check=True)


def test_the_image_runs_the_services_as_an_ordinary_user():
    keys = [key for key, _ in instructions()]
    assert keys.index("USER") > max(place for place, key in enumerate(keys) if key == "RUN")
    user = one("USER")
    assert re.fullmatch(r"([1-9][0-9]{3,}):\1", user)
    uid = user.partition(":")[0]
    (made,) = [value for key, value in instructions() if key == "RUN" and "useradd" in value]
    assert f"--uid {uid}" in made
    assert f"-o {uid} -g {uid} {one('WORKDIR')}" in made
    assert one("ENTRYPOINT") == '["gorch"]'
    assert one("CMD") == '["serve"]'
    assert {"serve", "executor"} <= COMMANDS.keys()


def test_ports_volumes_and_settings_of_the_image():
    environ = variables() | {"HOME": "/nonexistent"}
    front, back = Config.load(environ).value, ExecutorConfig.load(environ).value
    assert one("EXPOSE").split() == [str(front.port), str(back.port)]
    volumes = re.findall(r'"([^"]+)"', one("VOLUME"))
    for place in (front.data, back.data, front.certs, back.certs):
        assert any(place.is_relative_to(volume) for volume in volumes), place
    assert back.drain == "finish"  # nothing in a container outlives it
    assert front.access == "required"  # to it, a proxy beside it is a caller on its own machine
