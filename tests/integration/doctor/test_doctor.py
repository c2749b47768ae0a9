"""``gorch doctor`` beside real services: what works is found to work, and what is broken is told with what to do."""

import json
import shutil
import socket
import sqlite3
import threading
from contextlib import closing

import pytest

from gorchestrator import __version__, certificates
from gorchestrator.client.api import Certificates
from gorchestrator.common.endpoints import Endpoint
from gorchestrator.doctor import executors
from gorchestrator.doctor.finding import Level
from gorchestrator.store import schema
from sinks_support import receiver
from support import PATIENCE, run_gorch
from tracing_support import receiving

OK, WARNING, FAULT = Level.OK, Level.WARNING, Level.FAULT


def doctor(*options, **settings):
    """Run the command; return its status, and what it has found by check and subject."""
    done = run_gorch("doctor", "--json", *options, env=settings)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    found = told["findings"]
    assert {level: told[level] for level in Level} == {level: _count(found, level) for level in Level}
    assert [each for each in found if bool(each["advice"]) != (each["level"] != OK)] == []
    return done.returncode, found


def _count(found, level):
    return sum(each["level"] == level for each in found)


def says(found, check, level=None):
    return [
        f"{each['subject']}: {each['says']}"
        for each in found
        if each["check"] == check and level in (None, each["level"])
    ]


def ask(url, certs):
    """Ask one executor."""
    files = Certificates(certs / "ca.pem", certs / "orchestrator.pem", certs / "orchestrator.key")
    return list(executors.check({"one": Endpoint(url)}, files))


@pytest.fixture(scope="module")
def settings(service):
    """Return the settings of the orchestrator that runs."""
    return service.orchestrator.settings | {"GORCH_PORT": service.url.rpartition(":")[2]}


def test_executors_are_asked_all_at_once(certs):
    """Neither gets on before the other was called, too."""
    both = threading.Barrier(2, timeout=PATIENCE)

    def serve(server):
        connection, _ = server.accept()
        server.close()  # a second try shall be refused
        both.wait()
        connection.close()

    files = Certificates(certs / "ca.pem", certs / "orchestrator.pem", certs / "orchestrator.key")
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        servers = [threading.Thread(target=serve, args=(each,), daemon=True) for each in (one, two)]
        for each in servers:
            each.start()
        urls = {name: f"https://127.0.0.1:{each.getsockname()[1]}" for name, each in (("one", one), ("two", two))}
        found = list(executors.check({name: Endpoint(url) for name, url in urls.items()}, files))
    assert [(each.subject, each.level) for each in found] == [("one", FAULT), ("two", FAULT)]
    assert not both.broken
    assert not any("in time" in each.says for each in found)


def test_receivers_of_logs_and_traces(certs, tmp_path):
    with (
        receiver(tls=certs) as logstash,
        receiver(str(tmp_path / "log")),
        socket.create_server(("127.0.0.1", 0)) as nobody,
        receiving() as traces,
    ):
        away = nobody.getsockname()[1]
        nobody.close()
        tls = f"tls://127.0.0.1:{logstash.port}"
        common = {"GORCH_DATA": str(tmp_path), "GORCH_CERTS": str(certs)}
        _, found = doctor(
            GORCH_SYSLOG=f"unix://{tmp_path / 'log'}",
            GORCH_LOGSTASH=tls,
            GORCH_LOGSTASH_CA=str(certs / "ca.pem"),
            GORCH_OTLP_ENDPOINT=traces.url,
            **common,
        )
        assert says(found, "receivers", OK) == [
            f"syslog at unix://{tmp_path / 'log'}: takes connections",
            f"logstash at {tls}: takes connections",
            f"traces at {traces.url}/v1/traces: takes traces",
        ]
        settings = {"GORCH_SYSLOG": f"tcp://127.0.0.1:{away}", "GORCH_LOGSTASH": tls}
        status, found = doctor(GORCH_OTLP_ENDPOINT=f"http://127.0.0.1:{away}", **settings, **common)
        assert status == 1
        of_syslog, of_logstash, of_traces = says(found, "receivers", FAULT)
        assert "cannot be reached: Connection refused; lines for it are dropped" in of_syslog
        assert "certificate verify failed" in of_logstash  # by none of the usual CAs
        assert "takes nothing now: Connection refused" in of_traces


def test_services_that_work(settings, service):
    status, found = doctor(**settings)
    assert (status, says(found, "settings"), _count(found, FAULT)) == (0, [], 0)
    assert f"executor: answers at {service.executor.url} over mutual TLS" in says(found, "executors", OK)
    assert sorted(says(found, "versions", OK)) == [
        f"executor: is of version {__version__}",
        f"orchestrator: runs, in version {__version__}",
    ]
    assert says(found, "clocks") == ["executor: its clock agrees with this one"]
    assert "executor: shell: can work" in says(found, "engines", OK)
    assert any("executor: shows executor, which holds until" in each for each in says(found, "certificates", OK))
    limits = says(found, "limits")
    assert len(limits) == 2  # workers
    assert all(each.startswith("process ") for each in limits)


def test_an_executor_on_its_own_machine(service):
    status, found = doctor("--executor", **service.executor.settings)
    assert (status, _count(found, FAULT)) == (0, 0)
    assert "executor: shell: can work" in says(found, "engines", OK)
    (limit,) = says(found, "limits")
    assert limit.startswith("process ")


def test_much_is_broken(tmp_path, settings, certs):
    """An expired certificate, a key of mode 644, no executor, and a journal of an older version."""
    own = tmp_path / "certs"
    shutil.copytree(certs, own)
    issued = certificates.issue(certificates.read(own, "ca"), "orchestrator", ["localhost"], -1)
    (own / "orchestrator.pem").write_bytes(certificates.pem(issued.certificate))
    (own / "orchestrator.key").write_bytes(certificates.key_pem(issued.key))
    (own / "orchestrator.key").chmod(0o644)
    data = tmp_path / "data"
    schema.ensure(data / "gorchestrator.db")
    with closing(sqlite3.connect(data / "gorchestrator.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{held.getsockname()[1]}"
        broken = settings | {"GORCH_CERTS": str(own), "GORCH_DATA": str(data), "GORCH_EXECUTORS": f"one={url}"}
        status, found = doctor(**broken)
        printed = run_gorch("doctor", env=broken)
    assert status == 1
    (expired,) = says(found, "certificates", FAULT)
    assert "expired 1 day ago" in expired
    assert says(found, "permissions", FAULT) == [
        f"{own}/orchestrator.key: has mode 644: others than its owner may read or change this key"
    ]
    assert says(found, "executors", FAULT) == [f"one: executor 'one' at {url} cannot be reached: Connection refused"]
    (older,) = says(found, "database", FAULT)
    assert "has the schema 0001 of an older version" in older
    assert (printed.returncode, printed.stdout.splitlines()[-1].split(",")[0]) == (1, "4 faults")
    assert f"→ chmod 600 {own}/orchestrator.key" in printed.stdout


def test_settings_that_cannot_be_used():
    status, found = doctor(GORCH_WORKERS="0", GORCH_PRT="1")
    assert (status, len(says(found, "settings", FAULT))) == (1, 2)
    status, found = doctor("--executor", GORCH_EXECUTOR_CAPACITY="0")
    assert (status, len(says(found, "settings", FAULT))) == (1, 1)


def test_an_executor_of_another_ca(tmp_path, service):
    certificates.write(tmp_path)
    (found,) = ask(service.executor.url, tmp_path)
    assert (found.check, found.level) == ("executors", FAULT)
    assert "shows a certificate that is not accepted here" in found.says


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [(0, OK, "agrees"), (-60, WARNING, "s behind"), (60, WARNING, "s ahead of"), (4000, FAULT, "s ahead of")],
)
def test_clocks(service, wrong_clock, ahead, level, words):
    found = ask(wrong_clock(ahead), service.certs)
    ((clock),) = [each for each in found if each.check == "clocks"]
    assert (clock.level, words in clock.says) == (level, True), clock
