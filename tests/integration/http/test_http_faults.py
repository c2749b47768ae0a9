"""What is sent again by the engine ``http`` and what is not, time limits, cancels and restarts."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from executor_support import Executor, new_id
from support import wait_until
from web_support import Web, node, serving

SUCCESS, FAILURE, TIMEOUT, CANCELED = 3, 4, 10, 11


def test_a_safe_request_is_sent_again_when_the_connection_breaks(executor: Executor, web: Web) -> None:
    web.drops = 2
    job = executor.run(node(f"{web.url}/echo"))
    assert job["state"] == SUCCESS
    assert len(web.seen) == 3
    assert b"once more in 0.5 s" in job["log"]
    assert b"once more in 1 s" in job["log"]


def test_an_answer_that_breaks_off_is_fetched_again(executor: Executor, web: Web) -> None:
    job = executor.run(node(f"{web.url}/cut"))
    assert job["state"] == SUCCESS
    assert [seen.method for seen in web.seen] == ["GET", "GET"]
    assert b"! the connection broke" in job["log"]
    assert job["log"].endswith(b"half of a..\n")


def test_any_other_is_lost_then(executor: Executor, web: Web) -> None:
    web.drops = 1
    job = executor.run(node(f"{web.url}/echo", "method=DELETE"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "lost")
    assert "whether the DELETE has had its effect is not known" in job["reason"]
    assert len(web.seen) == 1


def test_what_was_not_sent_is_sent_when_there_is_somebody(executor: Executor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    job_id = new_id()
    executor.put(job_id, node(f"http://127.0.0.1:{port}/echo", "body=x"), wait=None)
    wait_until(lambda: "Connection refused" in executor.log_of(job_id))
    with serving(port=port) as web:
        assert executor.end(job_id)["state"] == SUCCESS
        assert [seen.method for seen in web.seen] == ["POST"]


def test_a_server_that_is_not_there(executor: Executor) -> None:
    job = executor.run(node("http://no-such-host.invalid/"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "connection")
    assert "no-such-host.invalid" in job["reason"]


def test_a_timeout(executor: Executor, web: Web) -> None:
    job = executor.run(node(f"{web.url}/wait", timeout=0.7))
    assert (job["state"], job["reason"]) == (TIMEOUT, "killed after its timeout of 0.7 s")


def test_a_cancel(executor: Executor, web: Web) -> None:
    job_id = new_id()
    executor.put(job_id, node(f"{web.url}/wait"), wait=None)
    wait_until(lambda: web.seen)
    answer = executor.delete(job_id)
    assert (answer.status_code, answer.json()["state"]) == (200, CANCELED)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_restart_of_the_executor(new_executor: Callable[..., Executor], web: Web, method: str) -> None:
    executor = new_executor(http_allow="127.0.0.0/8")
    job_id = new_id()
    executor.put(job_id, node(f"{web.url}/wait", f"method={method}"), wait=None)
    wait_until(lambda: web.seen)
    executor.server.kill()
    executor.start_server()
    web.gate.set()
    job = executor.end(job_id)
    if method == "GET":
        assert job["state"] == SUCCESS
        assert "the executor was restarted; once more" in executor.log_of(job_id)
        assert len(web.seen) == 2
    else:
        assert (job["state"], job["reason_code"]) == (FAILURE, "lost")
        assert "the executor was restarted meanwhile" in job["reason"]
        assert len(web.seen) == 1


def test_certificates_are_checked(executor: Executor, new_executor: Callable[..., Executor], certs: Path) -> None:
    with serving(certs) as web:
        assert executor.run(node(f"{web.url}/echo"))["state"] == SUCCESS
        job = new_executor(http_allow="127.0.0.1").run(node(f"{web.url}/echo", "body=x"))
        assert (job["state"], job["reason_code"]) == (FAILURE, "connection")
        assert "its certificate is not trusted" in job["reason"]
        assert len(web.seen) == 1


def test_without_tls_nothing_was_sent(executor: Executor, web: Web) -> None:
    job = executor.run(node(f"https://127.0.0.1:{web.port}/echo", "body=x"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "connection")
    assert "cannot begin TLS" in job["reason"]
    assert job["log"].count(b"> POST") == 4
    assert web.seen == []


def test_a_server_that_goes_away_within_the_handshake_is_tried_again(executor: Executor, certs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        job_id = new_id()
        executor.put(job_id, node(f"https://127.0.0.1:{port}/echo", "body=x"), wait=None)
        free.settimeout(60)
        accepted, _ = free.accept()
        accepted.close()
    with serving(certs, port=port) as web:
        assert executor.end(job_id)["state"] == SUCCESS
        assert [seen.method for seen in web.seen] == ["POST"]
    assert "! cannot begin TLS" in executor.log_of(job_id)


def test_a_handshake_has_an_end(executor: Executor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        job_id = new_id()
        executor.put(job_id, node(f"https://127.0.0.1:{mute.getsockname()[1]}/", "body=x"), wait=None)
        wait_until(lambda: "cannot begin TLS: no end of it within 10 s; once more" in executor.log_of(job_id), 60)
        assert executor.delete(job_id).json()["state"] == CANCELED


def test_what_a_redirect_has_answered_was_done(executor: Executor, web: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"query:url=http://127.0.0.1:{free.getsockname()[1]}/"
    follow = {"follow_redirects": True}
    job = executor.run(node(f"{web.url}/to/303", nobody, "method=DELETE", options=follow))
    assert (job["state"], job["reason_code"]) == (FAILURE, "lost")
    assert "the DELETE before that was answered with a redirect" in job["reason"]
    job = executor.run(node(f"{web.url}/to/307", nobody, "method=DELETE", options=follow))
    assert (job["state"], job["reason_code"]) == (FAILURE, "connection")


def test_a_file_without_authorities_is_told(new_executor: Callable[..., Executor], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    executor = new_executor(http_ca=str(tmp_path / "ca.pem"))
    about = executor.call("GET", "ping").json()["engines"]["http"]
    assert (about["ok"], about["reason"].partition("ca.pem: ")[0]) == (False, f"http_ca: cannot read {tmp_path}/")
    assert executor.run(node("http://example.com"))["reason_code"] == "engine"
