"""The example of nginx in front of a real service: TLS, streams, large bodies, and who the client is."""

import http.client
import json
import socket
import ssl
from contextlib import closing

import pytest

from api_support import Api, Orchestrator
from gorchestrator import certificates
from gorchestrator.remote import Remote
from nginx_support import NAME, nginx
from support import PATIENCE

CLIENT = "127.0.0.2"  # the whole of 127.0.0.0/8 is this machine
NOBODY = "executor=https://127.0.0.1:1"  # the nodes here need no executor


@pytest.fixture(scope="module")
def service(tmp_path_factory, certs, unmeasured):
    settings = {"GORCH_TRUSTED_PROXIES": "127.0.0.1", "GORCH_ALLOWED_HOSTS": f"{NAME},localhost,127.0.0.1"}
    found = Orchestrator(tmp_path_factory.mktemp("service"), certs, NOBODY, 1, **settings)
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, service):
    folder = tmp_path_factory.mktemp("nginx")
    certificates.write(folder)
    certificates.add(folder, "proxy", [NAME, "localhost"])
    with nginx(folder, service.api.port, folder) as found:
        yield found


class Through(Api):
    """The service through nginx, called from an address that is not nginx's own."""

    def __init__(self, proxy):
        super().__init__(proxy.https)
        object.__setattr__(self, "ca", proxy.ca)

    def connect(self):
        context = ssl.create_default_context(cafile=self.ca)
        raw = socket.create_connection(("127.0.0.1", self.port), PATIENCE, (CLIENT, 0))
        found = http.client.HTTPSConnection(NAME, context=context)
        found.sock = context.wrap_socket(raw, server_hostname=NAME)
        return found


@pytest.fixture
def api(proxy):
    return Through(proxy)


def canceled_by(api, task):
    return api.task(task)["cancel_actor"]


def sleeper(seconds="600"):
    return {"name": "slow", "nodes": [{"name": "a", "engine": "sleep", "args": [seconds]}]}


def test_the_api_over_tls(api, proxy, service):
    task = api.submit({"name": "x", "nodes": [{"name": "a"}]})
    assert api.end(task)["state"] == 3
    answer = api.call("GET", f"/v1/tasks/{task}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["strict-transport-security"]
    assert answer.headers["content-encoding"] == "gzip"
    again = api.call("GET", f"/v1/tasks/{task}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304
    assert "<html" in api.call("GET", "/").data.decode()


def test_plain_http_is_sent_to_tls(proxy):
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=PATIENCE)) as connection:
        connection.request("POST", "/v1/tasks?x=1", "{}", {"Host": NAME})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (308, f"https://{NAME}/v1/tasks?x=1")


def test_the_client_of_python_speaks_to_it(proxy):
    remote = Remote(f"https://localhost:{proxy.https}", ca=str(proxy.ca))
    with closing(remote):
        assert remote.ping()["status"] == "success"


def read_until(stream, kind):
    while (line := stream.readline()).strip() != f"event: {kind}".encode():
        assert line, "the stream has ended"


def test_events_come_at_once(api):
    task = api.submit(sleeper())
    with closing(api.connect()) as connection:
        connection.request("GET", f"/v1/tasks/{task}/events")
        answer = connection.getresponse()
        assert answer.status == 200
        read_until(answer, "node_running")  # it is here while the stream is open; a buffer would hold it for ever
        api.cancel(task)
        read_until(answer, "task_final")


def test_a_long_wait_is_not_cut(api):
    task = api.submit(sleeper("1"))
    assert api.call("GET", f"/v1/tasks/{task}", wait=60).json["state"] == 3


def test_a_large_body(api):
    nodes = [{"name": f"n{i}", "args": ["x" * 60_000]} for i in range(200)]
    body = json.dumps({"name": "large", "nodes": nodes})
    assert len(body) > 12_000_000
    assert api.end(api.submit(body))["state"] == 3


def test_a_body_above_the_limit_is_refused_by_the_service(api):
    answer = api.call("POST", "/v1/tasks", b" " * (16 * 2**20 + 1))
    answer.is_problem(413, "too-large")


def test_a_name_that_is_not_allowed(api):
    api.call("GET", "/v1/ping", headers={"Host": "evil.example"}).is_problem(421, "host-not-allowed")


def test_the_client_is_who_calls_the_proxy(api, service):
    task = api.submit(sleeper())
    api.cancel(task)
    assert canceled_by(api, task) == CLIENT
    assert f'"peer": "{CLIENT}"' in service.log


def test_what_a_client_says_of_itself_ends_at_the_proxy(api):
    task = api.submit(sleeper())
    api.call("DELETE", f"/v1/tasks/{task}", wait=10, headers={"X-Forwarded-For": "192.0.2.1"})
    assert canceled_by(api, task) == CLIENT


@pytest.mark.parametrize(("peer", "seen"), [("127.0.0.3", "127.0.0.3"), ("127.0.0.1", "192.0.2.1")])
def test_only_the_proxy_is_believed(api, service, peer, seen):
    task = api.submit(sleeper())
    direct = http.client.HTTPConnection("127.0.0.1", service.api.port, source_address=(peer, 0), timeout=PATIENCE)
    with closing(direct):
        headers = {"X-Forwarded-For": "192.0.2.1"}
        service.api.call("DELETE", f"/v1/tasks/{task}", wait=10, headers=headers, over=direct)
    assert canceled_by(api, task) == seen


def test_metrics_are_not_for_everybody(api):
    assert api.call("GET", "/metrics").status == 403
