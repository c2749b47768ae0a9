"""Who shows no certificate of the CA is refused with a reason, and the executor logs one line and no traceback."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization as s

from executor_support import Executor, PlainGunicorn, body, new_id, started
from gorchestrator import certificates
from gorchestrator.certificates import Issued
from gorchestrator.client.api import Certificates, ExecutorApi
from gorchestrator.client.faults import Unreachable
from support import PATIENCE, ROOT, clean_environment, wait_until

OTHER_MACHINE = """
from gevent import monkey
monkey.patch_all()
import os, sys
from pathlib import Path
from executor.app import create_app
from executor.config import Config
client = create_app(Config(insecure=True, data=Path(sys.argv[1]), log_level="error")).test_client()
asked = [client.get("/v1/ping", environ_base={"REMOTE_ADDR": peer}) for peer in ("127.0.0.1", "192.0.2.7")]
print([answer.status_code for answer in asked], flush=True)
os._exit(0)
"""


def lines(executor: Executor) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in executor.server.log.splitlines()]
    return [line for line in found if line["event"] == "tls_refused"]


def written(folder: Path, issued: Issued) -> tuple[Path, Path]:
    pem, key = folder / "own.pem", folder / "own.key"
    pem.write_bytes(issued.certificate.public_bytes(s.Encoding.PEM))
    key.write_bytes(issued.key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    return pem, key


def other_ca(_certs: Path) -> Issued:
    return certificates.issue(certificates.make_ca(), "stranger", ["localhost"])


def expired(certs: Path) -> Issued:
    return certificates.issue(certificates.read(certs, "ca"), "orchestrator", ["localhost"], days=-1)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (None, "peer did not return a certificate"),
        (other_ca, "certificate verify failed: unable to get local issuer certificate"),
        (expired, "certificate verify failed: certificate has expired"),
    ],
)
def test_refused_clients(
    executor: Executor, tmp_path: Path, certs: Path, make: Callable[[Path], Issued] | None, reason: str
) -> None:
    before = len(lines(executor))
    session = executor.new_session()
    session.cert = None if make is None else tuple(map(str, written(tmp_path, make(certs))))
    with pytest.raises(requests.ConnectionError):
        session.get(f"{executor.server.url}/v1/ping", timeout=PATIENCE)
    session.close()
    wait_until(lambda: len(lines(executor)) > before)
    refused = lines(executor)[before:]
    assert [line["reason"] for line in refused] == [reason] * len(refused)
    assert refused[0]["peer"].startswith("127.0.0.1:")
    assert refused[0]["level"] == "warning"
    output = executor.server.log + (executor.folder / "err").read_text()
    assert "Traceback" not in output
    assert executor.call("GET", "ping").status_code == 200


@pytest.mark.parametrize("days", [1, -1])
def test_a_client_knows_what_is_shown_and_names_its_own_certificate_where_that_has_expired(
    executor: Executor, tmp_path: Path, certs: Path, days: int
) -> None:
    issued = certificates.issue(certificates.read(certs, "ca"), "orchestrator", ["localhost"], days=days)
    pem, key = written(tmp_path, issued)
    client = ExecutorApi("executor", executor.server.url, Certificates(certs / "ca.pem", pem, key))
    try:
        if days > 0:
            client.ping()
        else:
            with pytest.raises(Unreachable) as refused:
                client.ping()
            ends = f"{issued.certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
            expired = f"the certificate {pem} that this service shows has expired ({ends}); renew it"
            assert expired in refused.value.reason
        assert client.certificate
        shown = certificates.read(certs, "executor").certificate.not_valid_after_utc.timestamp()
        assert (client.certificate.subject, client.certificate.not_after) == ("executor", shown)
    finally:
        client.close()


def test_who_does_not_speak_tls_is_one_line_too(executor: Executor) -> None:
    before = len(lines(executor))
    with pytest.raises(requests.ConnectionError):
        requests.get(executor.server.url.replace("https", "http"), timeout=PATIENCE)
    wait_until(lambda: len(lines(executor)) > before)
    assert lines(executor)[-1]["reason"] == "http request"


def test_without_certificate_nothing_is_served_even_if_the_server_lets_it_in(tmp_path: Path, certs: Path) -> None:
    with started(Executor(tmp_path / "lax", certs, kind=Lax)) as executor:
        answer = executor.call("GET", "ping")
        assert answer.status_code == 403
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:gorchestrator:problem:certificate-required"
        assert executor.put(new_id(), body()).status_code == 403


def test_insecure_listens_on_no_address_that_others_reach_whoever_names_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "python:executor.gunicorn_conf", "--no-control-socket"]
    done = subprocess.run(
        [*command, "-b", "0.0.0.0:0", "executor.app:create_app()"],
        env=clean_environment(GORCH_EXECUTOR_INSECURE="true", GORCH_EXECUTOR_DATA=str(tmp_path)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode != 0
    assert "insecure: with bind '0.0.0.0' every machine could run anything here" in done.stderr


def test_insecure_answers_nobody_on_another_machine(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OTHER_MACHINE, tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["[200, 403]"], done.stderr


def test_insecure_lets_callers_in_without_certificate(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(insecure="true")
    executor.session.cert = None
    assert executor.run(body())["state"] == 3


@dataclass
class Lax(PlainGunicorn):
    cert_reqs: int = 0
