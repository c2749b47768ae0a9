"""What both real services tell syslog and logstash: all but secrets, and at no price for who uses or stops them."""

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psutil
import pytest
import requests

from api_support import Api
from executor_support import script
from sinks_support import Receiver, having, receiver
from support import PATIENCE, Services, start_services, wait_until
from web_support import Web, node, serving

OF_EXECUTOR = "v3ry-s3cret-of-the-executor"
SECRETS = (OF_EXECUTOR, *(f"s3cret-{number:02d}-of-who-submits" for number in range(26)))
TOLD = 2.0  # seconds by which receivers may delay a stop
BUSY = 2.0  # seconds by which two stops of the same services differ on a busy machine
TOO_MUCH = 4000  # letters of a path that nobody has
TIMES = 200
ENDED_BADLY = {4, 10}  # who waits for a daemon does so until his time is up
FAILING = {"bad", "none", "unknown", "fails", "password", "far", "boxed"}
NOBODY = "nobody-there"


@dataclass
class House:
    """Both services, and who is told of what they do."""

    services: Services
    syslogs: list[Receiver]
    logstashes: list[Receiver]

    @property
    def api(self) -> Api:
        return Api(urlsplit(self.services.url).port or 0)

    def receivers(self) -> list[Receiver]:
        return [*self.syslogs, *self.logstashes]

    def all_told(self) -> bytes:
        """Return all that anybody has been told, on stdout and stderr too."""
        servers = (self.services.orchestrator, self.services.executor)
        files = [server.folder / name for server in servers for name in ("out", "err")]
        came = [bytes(data) for each in self.receivers() for data in [*each.data.values(), *each.datagrams]]
        return b"\n".join([*(path.read_bytes() for path in files), *came])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[House]:
    """Both services, which tell everything to a syslog and a logstash of their own."""
    folder = tmp_path_factory.mktemp("services")
    with receiver() as tcp, receiver(udp=True) as udp, receiver(tls=certs) as tls, receiver() as plain:
        levels = {"LOG_LEVEL": "debug", "SYSLOG_LEVEL": "debug", "LOGSTASH_LEVEL": "debug"}
        front = levels | {"SYSLOG": f"tcp://127.0.0.1:{tcp.port}", "LOGSTASH": f"tls://localhost:{tls.port}"}
        front |= {"LOGSTASH_CA": str(certs / "ca.pem"), "WORKERS": "2"}
        back = levels | {"SYSLOG": f"udp://127.0.0.1:{udp.port}", "LOGSTASH": f"tcp://127.0.0.1:{plain.port}"}
        back |= {"HTTP_ALLOW": "127.0.0.1", "SECRET_ENV": "OF_EXECUTOR"}
        (folder / "hosts.yaml").write_text(f"{NOBODY}: {{host: 127.0.0.1, port: 1, remote_user: me}}\n")
        back |= {"SSH_HOSTS": str(folder / "hosts.yaml"), "SSH_CONNECT_TIMEOUT": "1"}
        back |= {"DOCKER_HOST": f"unix://{folder}/no-docker.sock"}
        executor = {f"GORCH_EXECUTOR_{name}": value for name, value in back.items()} | {"OF_EXECUTOR": OF_EXECUTOR}
        orchestrator = {f"GORCH_{name}": value for name, value in front.items()}
        for services in start_services(folder, certs, orchestrator, executor):
            yield House(services, [tcp, udp], [tls, plain])


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as found:
        yield found


def gorch(web: Web) -> dict[str, Any]:
    """Return one that has secrets wherever there is room for them."""
    a, b, c, d, e, f, g, h, i, j, k, m, n = SECRETS[1:14]
    hidden = {"TOKEN": {"secret": "OF_EXECUTOR"}, "OPEN": a}
    away = "http://127.0.0.1:1"  # nobody listens there
    shell = {"engine": "shell", "env": hidden, "args": [b, f"--password={c}"]}
    soon = {"env": hidden, "timeout": 3, "allow_failure": True}
    box = {"labels": {"password": m}, "entrypoint": ["/bin/echo", n]}
    nodes = [
        shell | {"name": "good", "artifact": script("echo $TOKEN $OPEN $*", "echo key=$TOKEN >> $GORCH_OUTPUT")},
        shell | {"name": "bad", "artifact": script("echo $TOKEN $OPEN $* >&2", "exit 3"), "allow_failure": True},
        shell | {"name": "none", "artifact": f"/nowhere/{d}", "allow_failure": True},
        shell
        | {"name": "unknown", "env": {"A": {"secret": "unknown"}}, "artifact": "/bin/true", "allow_failure": True},
        node(
            f"{web.url}/echo?key=${{TOKEN}}&of={e}", "header:X-Key=${TOKEN}", f"basic=me:{f}", name="asks", env=hidden
        ),
        node(f"{away}/{g}?key=${{TOKEN}}", 'json={"a": "${TOKEN}"}', name="fails", env=hidden, allow_failure=True),
        node(f"http://me:{h}@127.0.0.1:1/", name="password", allow_failure=True),
        soon | {"name": "far", "engine": "ssh", "target": NOBODY, "artifact": script(f"echo {i}"), "args": [j]},
        soon | {"name": "boxed", "engine": "docker", "artifact": "127.0.0.1:1/image", "args": [k], "options": box},
        {"name": "wait", "engine": "sleep", "args": ["0.1"], "output": {"kept": a}},
    ]
    return {"name": "secrets", "nodes": [{"engine": "http"} | each for each in nodes]}


def test_no_secret_is_in_any_line(house: House, web: Web) -> None:
    api = house.api
    bearer, query, cookie, key, broken, long, field, line, header = SECRETS[-9:]
    api_key, proxy, path, asked = SECRETS[14:18]
    headers = {"Authorization": f"Bearer {bearer}", "Cookie": f"session={cookie}", "Idempotency-Key": key}
    headers |= {
        "X-Api-Key": api_key,
        "Proxy-Authorization": f"Basic {base64.b64encode(f'me:{proxy}'.encode()).decode()}",
    }
    assert api.call("GET", f"/v1/tasks?token={query}", headers=headers).status == 422
    answer = api.call("POST", "/v1/tasks", gorch(web), headers=headers)
    assert answer.status == 202, answer.data
    task = api.end(answer.json["id"])
    states = {each["name"]: each["state"] for each in task["nodes"]}
    assert {name for name, state in states.items() if state == 3} == {"good", "asks", "wait"}, task
    assert {name for name, state in states.items() if state in ENDED_BADLY} == FAILING, task
    fails = next(each for each in gorch(web)["nodes"] if each["name"] == "bad") | {"allow_failure": False}
    assert api.end(api.submit({"name": "fails", "nodes": [fails]}))["state"] == 4
    assert api.call("POST", "/v1/tasks", f'{{"name": "{broken}"').status == 400
    refused = {"name": "x", "nodes": [{"name": "x", "engine": "shell", "artifact": "true", "password": field}]}
    assert api.call("POST", "/v1/tasks", refused, headers={"X-Long": long * 1000}).status in {422, 431}
    assert api.call("GET", f"/v1/tasks?limit={path}").status == 422
    _ask_the_executor(house, f"v1/tasks/no-id?fence={asked}", asked)
    _send(api.port, f"GET/?token={line}\r\n\r\n")
    _send(api.port, f"GET / HTTP/1.1\r\nAuthorization {header}\r\n\r\n")
    assert api.call("POST", "/v1/tasks", refused).status == 422
    for each in (*house.syslogs, *house.logstashes):
        wait_until(lambda each=each: having(_lines(house, each), event="request"), what="requests")
    for each in (house.syslogs[0], house.logstashes[0]):
        wait_until(lambda each=each: having(_lines(house, each), event="request", status=422), what="the last request")
        assert having(_lines(house, each), task=task["id"])
    front = house.services.orchestrator.process
    assert front
    logstash = house.logstashes[0]
    # Those of gunicorn, and of its two workers, each by a thread of its own.
    processes = {front.pid, *(each.pid for each in psutil.Process(front.pid).children())}
    assert len(processes) == 3
    wait_until(lambda: processes <= {line["pid"] for line in logstash.lines()}, what="all processes")
    told = house.all_told()
    assert b"Invalid HTTP request line" in told
    assert b"Invalid HTTP Header" in told
    assert [secret for secret in SECRETS for form in _forms(secret) if form in told] == []


def _ask_the_executor(house: House, path: str, secret: str) -> None:
    """Ask for what there is not, with secrets, as nobody but the orchestrator may."""
    certs = house.services.certs
    answer = requests.get(
        f"{house.services.executor.url}/{path}",
        headers={"Authorization": f"Bearer {secret}", "X-Token": secret},
        cert=(str(certs / "orchestrator.pem"), str(certs / "orchestrator.key")),
        verify=str(certs / "ca.pem"),
        timeout=PATIENCE,
    )
    assert answer.status_code == 422


def _send(port: int, text: str) -> None:
    """Send what is no request, and wait for the refusal."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(text.encode())
        assert b" 400 " in connection.recv(1000)


def _forms(secret: str) -> set[bytes]:
    coded = base64.b64encode(f"me:{secret}".encode())
    return {secret.encode(), quote(secret).encode(), json.dumps(secret).encode(), coded}


def _lines(house: House, who: Receiver) -> list[dict[str, Any]]:
    return who.messages() if who in house.syslogs else who.lines()


@contextmanager
def silent(house: House) -> Iterator[None]:
    """Have all receivers read nothing, and accept nobody."""
    for each in house.receivers():
        each.reading.clear()
    try:
        yield
    finally:
        for each in house.receivers():
            each.reading.set()


@contextmanager
def down(house: House) -> Iterator[None]:
    """Have nobody listen where the orchestrator has its receivers."""
    settings = house.services.orchestrator.settings
    kept = dict(settings)
    settings |= {"GORCH_SYSLOG": "tcp://127.0.0.1:1", "GORCH_LOGSTASH": "tcp://127.0.0.1:1"}
    try:
        yield
    finally:
        settings |= kept


@pytest.mark.parametrize("ill", [silent, down])
def test_who_does_not_read_delays_neither_requests_nor_runs_nor_the_stop(
    house: House, ill: Callable[[House], AbstractContextManager[None]]
) -> None:
    server = house.services.orchestrator
    usual = _time(server.stop)
    with ill(house):
        server.start()
        house.services.wait_until_ready()
        slowest = max(_time(lambda: house.api.call("GET", "/v1/" + "x" * TOO_MUCH)) for _ in range(TIMES))
        assert slowest < TOLD
        run = {"name": "run", "nodes": [{"name": "node", "engine": "shell", "artifact": "/bin/true"}]}
        assert _time(lambda: house.api.end(house.api.submit(run))) < TOLD + BUSY
        before = len(server.log)
        assert _time(server.stop) < usual + TOLD + BUSY
        lines = [json.loads(line) for line in server.log[before:].splitlines()]
        dropped = having(lines, event="log_lines_dropped")
        assert {each["sink"].partition(" at ")[0] for each in dropped} == {"syslog", "logstash"}
        assert all(each["dropped"] > 0 for each in dropped)
    server.start()
    house.services.wait_until_ready()


def _time(action: Any) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
