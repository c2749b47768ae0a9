"""What each engine costs beside its tool alone: ``python tests/benchmarks/engines.py [ENGINE…]``.

Both services run as they do in earnest. ``one node``: from the POST to the answer of a request that waits for the end.
``in a row``: what each further node of a chain adds to that. ``alone``: the tool, as often; these take turns, and what
is shown are medians. ``ours``: what is left of a node in a row without its tool. ``at once``: one graph of so many
nodes, beside the tool alone as often, 16 side by side.

Where the file system is slow to make files, so are nodes: ext4 is so for minutes where many were removed, as tests do.
The caption says how long it takes where the data lie; ``TMPDIR`` has them elsewhere.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from docker_support import IMAGE, dockerd
from gorchestrator import certificates
from gorchestrator.common.states import State
from ssh_support import HOST, sshd
from support import Services, start_services
from web_support import serving

Json = dict[str, Any]
SIDE_BY_SIDE = 16  # as many as an executor runs at once by default
ROUNDS = 3
FILES = 200


@dataclass
class Case:
    """An engine, and the same with its tool alone."""

    node: Json
    tool: str
    alone: Callable[[], object]
    settings: Mapping[str, str] = field(default_factory=dict)  # of the executor
    times: int = 21  # one after the other
    many: int = 50  # at once


def command(*words: str, cwd: Path | None = None) -> Callable[[], object]:
    """Return what runs a command."""
    return lambda: subprocess.run(words, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def shell(_: Path) -> Iterator[Case]:
    yield Case({"engine": "shell", "artifact": "/bin/true"}, "/bin/true", command("/bin/true"))


@contextmanager
def ansible(folder: Path) -> Iterator[Case]:
    """A playbook costs seconds of a processor, so there are fewer of them."""
    playbook = "---\n- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.command: 'true'\n"
    (folder / "playbook.yml").write_text(playbook)
    (folder / "hosts").write_text("localhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n")
    alone = command(str(Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts", "playbook.yml", cwd=folder)
    settings = {"GORCH_EXECUTOR_ANSIBLE_INVENTORY": str(folder / "hosts")}
    node = {"engine": "ansible", "artifact": playbook}
    yield Case(node, "ansible-playbook", alone, settings, times=7, many=8)


@contextmanager
def docker(_: Path) -> Iterator[Case]:
    with dockerd() as daemon:
        settings = {"GORCH_EXECUTOR_DOCKER_HOST": daemon.host, "GORCH_EXECUTOR_DOCKER_NETWORKS": "none"}
        alone = command("docker", "-H", daemon.host, "run", "--rm", "--network", "none", IMAGE, "true")
        yield Case({"engine": "docker", "artifact": IMAGE, "args": ["true"]}, "docker run --rm", alone, settings)


@contextmanager
def http(_: Path) -> Iterator[Case]:
    with serving() as web:
        url = f"{web.url}/status/200"
        node = {"engine": "http", "artifact": url}
        settings = {"GORCH_EXECUTOR_HTTP_ALLOW": "127.0.0.1"}
        yield Case(node, "requests.get", lambda: requests.get(url, timeout=10), settings)


@contextmanager
def ssh(folder: Path, engine: str = "ssh", artifact: str = "true") -> Iterator[Case]:
    """Beside ``ssh host true`` over a connection that is there already."""
    with sshd(folder / "sshd") as server:
        where = ("-i", "user", "-o", "UserKnownHostsFile=known", "-o", "ControlPath=control", "-p", str(server.port))
        command("ssh", *where, "-MNf", "127.0.0.1", cwd=server.folder)()
        alone = command("ssh", *where, "127.0.0.1", "true", cwd=server.folder)
        settings = {"GORCH_EXECUTOR_SSH_HOSTS": str(server.hosts)}
        yield Case({"engine": engine, "artifact": artifact, "target": HOST}, "ssh host true", alone, settings)


def toscassh(folder: Path) -> AbstractContextManager[Case]:
    return ssh(folder, "toscassh", "#!/bin/sh\ntrue\n")


#: One line for each engine.
ENGINES = {"ansible": ansible, "docker": docker, "http": http, "shell": shell, "ssh": ssh, "toscassh": toscassh}


def run(services: Services, node: Json, size: int, *, in_a_row: bool = False) -> float:
    """Return the seconds from the POST of a graph to its success."""
    nodes = [{"name": f"n{number}", **node} for number in range(size)]
    if in_a_row:
        for before, after in pairwise(nodes):
            after["needs"] = [before["name"]]
    started = time.perf_counter()
    found = services.remote.wait(services.remote.submit({"name": "benchmark", "nodes": nodes}))
    took = time.perf_counter() - started
    if found["state"] != State.SUCCESS:
        raise SystemExit(f"the graph ended in {found['state']}: {found['nodes'][0]['reason']}")
    return took


def timed(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measured(services: Services, name: str, case: Case) -> list[str]:
    """Return the row of an engine."""
    run(services, case.node, 4)
    case.alone()
    pairs: list[tuple[float, float]] = []
    rows: list[float] = []
    for _ in range(ROUNDS):  # all take turns: loads change
        pairs += [(run(services, case.node, 1), timed(case.alone)) for _ in range(-(-case.times // ROUNDS))]
        rows.append(run(services, case.node, case.times, in_a_row=True))
    one, alone = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    further = (statistics.median(rows) * 1000 - one) / (case.times - 1)
    many = run(services, case.node, case.many)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        beside = timed(lambda: list(pool.map(lambda _: case.alone(), range(case.many))))
    speeds = [f"{case.many / took:.1f}" for took in (many, beside)]
    times = [f"{milliseconds:.1f}" for milliseconds in (one, further, alone, further - alone)]
    return [name, case.tool, *times, str(case.many), *speeds]


def new_file(folder: Path) -> float:
    """Return the milliseconds that it takes to make a file."""
    folder.mkdir()

    def make() -> None:
        for number in range(FILES):
            (folder / str(number)).touch()

    return timed(make) / FILES * 1000


def main() -> None:
    """Start what the engines need and the services, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"some of {', '.join(ENGINES)}; default: all")
    names = parser.parse_args().engines or list(ENGINES)
    milliseconds = ("one node, ms", "in a row, ms", "alone, ms", "ours, ms")
    table = Table("engine", "beside", *milliseconds, "at once", "nodes/s", "alone/s")
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        certificates.write(folder / "certs")
        cases = {}
        for name in names:
            (folder / name).mkdir()
            cases[name] = stack.enter_context(ENGINES[name](folder / name))
        settings = {variable: value for case in cases.values() for variable, value in case.settings.items()}
        for services in start_services(folder, folder / "certs", {"GORCH_WORKERS": "1"}, settings):
            for name, case in cases.items():
                table.add_row(*measured(services, name, case))
        row = "in a row: what a further node of a chain adds; ours: that without the tool alone, wanted: at most 10 ms"
        table.caption = f"{row}\na new file takes {new_file(folder / 'files'):.3f} ms where the data lie"
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
