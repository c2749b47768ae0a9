"""Whom an executor works for, and what its answers tell browsers."""

import signal
from pathlib import Path

from cryptography.hazmat.primitives import serialization as s

from executor_support import Executor, body, new_id, started
from gorchestrator import certificates
from support import PATIENCE, unmeasured, wait_until


def test_only_the_names_that_are_listed_may_call(tmp_path: Path, certs: Path) -> None:
    settings = tmp_path / "executor.toml"
    settings.write_text('allowed_names = ["orchestrator", "watch.example"]\n')
    issued = certificates.issue(certificates.read(certs, "ca"), "prometheus", ["watch.example"])
    pem, key = tmp_path / "own.pem", tmp_path / "own.key"
    pem.write_bytes(certificates.pem(issued.certificate))
    key.write_bytes(issued.key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
    executor = Executor(tmp_path / "executor", certs, {"GORCH_EXECUTOR_CONFIG": str(settings)})
    with unmeasured(), started(executor), executor.new_session((pem, key)) as other:

        def of_other(path: str) -> int:
            return other.get(f"{executor.server.url}{path}", timeout=PATIENCE).status_code

        assert executor.call("GET", "ping").status_code == 200
        assert of_other("/metrics") == 200  # by one of its other names
        settings.write_text('allowed_names = ["orchestrator"]\n')
        executor.server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: of_other("/metrics") == 403, what="the executor keeps to other names")
        refused = other.put(f"{executor.server.url}/v1/tasks/{new_id()}", json=body(), timeout=PATIENCE)
        assert refused.status_code == 403
        assert refused.json()["type"] == "urn:gorchestrator:problem:caller-not-allowed"
        assert "prometheus alias watch.example" in refused.json()["detail"]
        assert "allowed_names (GORCH_EXECUTOR_ALLOWED_NAMES)" in refused.json()["detail"]
        assert executor.call("GET", "ping").status_code == 200


def test_every_answer_says_that_it_may_do_nothing_in_a_browser(executor: Executor) -> None:
    session = executor.new_session()
    for path, status in (("/v1/ping", 200), ("/nothing", 404), ("/v1/tasks/nothing", 422), (f"/{'x' * 5000}", 414)):
        answer = session.get(f"{executor.server.url}{path}", timeout=PATIENCE)
        assert answer.status_code == status
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
    docs = session.get(f"{executor.server.url}/apidocs/", timeout=PATIENCE)
    assert "script-src 'self' 'unsafe-inline'" in docs.headers["Content-Security-Policy"]
    session.close()
