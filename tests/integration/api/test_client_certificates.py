"""Who shows a certificate in place of a token: names in it have roles, and other sites do not make use of it."""

import http.client
import json
import signal
import ssl
from contextlib import closing

import pytest

from gorchestrator import certificates
from gorchestrator.certificates import Purpose
from support import PATIENCE, run_gorch, wait_until

TASKS = "/v1/tasks"
GORCH = {"nodes": [{"name": "a"}]}
ROLES = 'client_roles = {{ci = "{}", "watch.example" = "viewer"}}\n'


class People:
    """A CA of callers, and what it has issued."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = certificates.make_ca()
        (folder / "ca.pem").write_bytes(certificates.pem(self.ca.certificate))

    def issue(self, name, *hosts, ca=None):
        issued = certificates.issue(ca or self.ca, name, list(hosts) or [name], purpose=Purpose.CLIENT)
        files = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        files[0].write_bytes(certificates.pem(issued.certificate))
        files[1].write_bytes(certificates.key_pem(issued.key))
        return tuple(map(str, files))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return People(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """Return the file of the settings."""
    file = tmp_path_factory.mktemp("settings") / "gorch.toml"
    file.write_text(ROLES.format("operator"))
    return file


@pytest.fixture(scope="module")
def orchestrator(start, certs, people, settings):
    return start(
        workers=1,
        GORCH_CONFIG=str(settings),
        GORCH_ACCESS="required",
        GORCH_CERTFILE=str(certs / "orchestrator.pem"),
        GORCH_KEYFILE=str(certs / "orchestrator.key"),
        GORCH_CLIENT_CA=str(people.folder / "ca.pem"),
    )


@pytest.fixture
def call(orchestrator, certs):
    """Return what calls the service with a certificate, or without; it returns the status and the document."""

    def call(files, method, path, body=None, **headers):
        context = ssl.create_default_context(cafile=certs / "ca.pem")
        if files:
            context.load_cert_chain(*files)
        made = http.client.HTTPSConnection("127.0.0.1", orchestrator.api.port, context=context, timeout=PATIENCE)
        with closing(made) as connection:
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    return call


def test_a_name_has_the_role_that_the_settings_give_it(call, people):
    ci, watch = people.issue("ci"), people.issue("somebody", "watch.example")
    status, made = call(ci, "POST", TASKS, GORCH)
    assert status == 202
    assert call(ci, "GET", "/v1/session")[1] == {"name": "ci", "role": "operator", "label": None, "way": "certificate"}
    assert call(watch, "GET", f"{TASKS}/{made['id']}")[0] == 200
    status, refused = call(watch, "POST", TASKS, GORCH)
    assert (status, "'watch.example' is viewer only" in refused["detail"]) == (403, True)


def test_who_has_no_role_is_told_what_to_do(call, people):
    status, refused = call(people.issue("stranger"), "GET", TASKS)
    assert status == 401
    assert "stranger" in refused["detail"]
    assert "client_roles" in refused["detail"]
    assert call(None, "GET", TASKS)[0] == 401


def test_a_certificate_of_another_ca_ends_the_connection(orchestrator, call, people):
    forged = people.issue("forged", "ci", ca=certificates.make_ca())
    with pytest.raises((ssl.SSLError, ConnectionError)):
        call(forged, "GET", TASKS)
    wait_until(lambda: orchestrator.events("tls_refused"), what="it is in the log")


def test_a_token_counts_before_the_certificate(orchestrator, call, people):
    options = ("--json", "--name", "boss", "--role", "admin", "--data", orchestrator.settings["GORCH_DATA"])
    token = json.loads(run_gorch("token", "create", *options).stdout)["token"]
    shown = {"Authorization": f"Bearer {token}"}
    stranger = people.issue("stranger2")
    wait_until(lambda: call(None, "GET", TASKS, **shown)[0] == 200, what="the token is known")
    for files in (None, stranger, people.issue("ci")):
        assert call(files, "GET", "/v1/session", **shown)[1]["name"] == "boss"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_other_sites_do_not_make_use_of_it(orchestrator, call, people, headers):
    ci = people.issue("ci")
    status, refused = call(ci, "POST", TASKS, GORCH, **headers)
    assert (status, "another site" in refused["detail"]) == (403, True)
    ours = {"Origin": f"https://127.0.0.1:{orchestrator.api.port}"}
    assert call(ci, "POST", TASKS, GORCH, **ours)[0] == 202


def test_the_command_shows_it(orchestrator, certs, people):
    cert, key = people.issue("ci")
    url = ("--url", orchestrator.url, "--ca", certs / "ca.pem")
    done = run_gorch("list", *url, "--cert", cert, "--key", key)
    assert done.returncode == 0, done.stderr
    done = run_gorch("list", *url, env={"GORCH_CERT": cert, "GORCH_KEY": key})
    assert done.returncode == 0, done.stderr
    done = run_gorch("list", *url, "--cert", cert)
    assert (done.returncode, "both --cert and --key" in done.stderr) == (2, True)


def test_another_role_counts_without_a_restart(orchestrator, call, people, settings):
    ci = people.issue("ci")
    assert call(ci, "POST", TASKS, GORCH)[0] == 202
    settings.write_text(ROLES.format("viewer"))
    orchestrator.process.send_signal(signal.SIGHUP)
    wait_until(lambda: call(ci, "POST", TASKS, GORCH)[0] == 403, what="it is a viewer")
    settings.write_text(ROLES.format("operator"))
    orchestrator.process.send_signal(signal.SIGHUP)
    wait_until(lambda: call(ci, "POST", TASKS, GORCH)[0] == 202, what="it is an operator again")
