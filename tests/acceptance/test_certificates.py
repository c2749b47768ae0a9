"""Ends of certificates are seen before they come, and renewal needs no restart."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gorchestrator import certificates
from support import Server, run_gorch, wait_until

WORKERS = 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "certs"
    certificates.write(found, days=20)
    return found


@pytest.fixture
def services(tmp_path: Path, folder: Path) -> Iterator[tuple[Server, Server]]:
    """Return an orchestrator that serves HTTPS and its executor."""
    for name in ("front", "back"):
        (tmp_path / name).mkdir()
    back = Server(
        ["executor"],
        {"GORCH_EXECUTOR_DATA": str(tmp_path / "back" / "data"), "GORCH_EXECUTOR_CERTS": str(folder)},
        tmp_path / "back",
    )
    own = {"GORCH_CERTFILE": f"{folder}/orchestrator.pem", "GORCH_KEYFILE": f"{folder}/orchestrator.key"}
    front = Server(
        ["serve", "--workers", str(WORKERS)],
        {"GORCH_DATA": str(tmp_path / "front" / "data"), "GORCH_CERTS": str(folder), **own},
        tmp_path / "front",
    )
    try:
        back.start()
        front.settings["GORCH_EXECUTORS"] = f"executor={back.url}"
        front.start()
        yield front, back
    finally:
        front.stop()
        back.stop()


def lines(server: Server, event: str) -> list[dict[str, str]]:
    found = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    return [line for line in found if line["event"] == event]


def ping(front: Server, folder: Path, *options: str) -> str:
    return run_gorch("ping", "--url", front.url, "--ca", folder / "ca.pem", *options).stdout


def shown(front: Server, folder: Path) -> dict[str, str]:
    """Return the ends of the certificates as a ping has them; empty as long as the executor is not reached."""
    found = json.loads(ping(front, folder, "--json") or "{}")
    if not found or not found["executors"][0]["reachable"]:
        return {}
    everything = [*found["certificates"], *(each["certificate"] for each in found["executors"])]
    return {each["kind"]: each["not_after"][:19] for each in everything}


def ends(folder: Path, name: str) -> str:
    return certificates.read(folder, name).certificate.not_valid_after_utc.isoformat()[:19]


def test_what_is_about_to_expire_is_told_of_and_renewed_without_a_restart(services, folder):
    front, back = services
    before = wait_until(lambda: shown(front, folder), what="the executor is reached")
    orchestrator, executor, ca = (ends(folder, name) for name in ("orchestrator", "executor", "ca"))
    assert before == {"server": orchestrator, "client": orchestrator, "ca": ca, "executor": executor}
    assert ping(front, folder).count("(in 19 days)") == 3
    wait_until(lambda: len(lines(front, "certificate_expires")) >= 3, what="the orchestrator warns")
    wait_until(lambda: lines(back, "certificate_expires"), what="the executor warns")

    done = run_gorch("certs", "renew", "--new-key", "--dir", folder)
    assert done.returncode == 0, done.stderr
    orchestrator, executor = (ends(folder, name) for name in ("orchestrator", "executor"))
    after = {"server": orchestrator, "client": orchestrator, "ca": ca, "executor": executor}
    assert after != before
    wait_until(lambda: len(lines(front, "certificates_renewed")) == 2 * WORKERS, what="the orchestrator has them")
    wait_until(lambda: lines(back, "certificates_renewed"), what="the executor has it")
    for _ in range(2 * WORKERS):  # whichever worker answers
        wait_until(lambda: shown(front, folder) == after, what="a ping shows the new ends")
    wait_until(lambda: ping(front, folder).count("(in 729 days)") == 3, what="a ping says in how many days")

    told = [(line["level"], line["kind"]) for line in lines(front, "certificate_expires")]
    assert sorted(told) == [("warning", kind) for kind in ("client", "executor", "server")]  # once, by one worker
    assert [(line["level"], line["kind"]) for line in lines(back, "certificate_expires")] == [("warning", "server")]
    for server in services:
        assert lines(server, "certificates_refused") == []
        assert "Traceback" not in server.log


def test_what_has_expired_is_an_error(services, folder):
    front, back = services
    back.stop()
    issued = certificates.issue(certificates.read(folder, "ca"), "executor", certificates.local_names(), days=-1)
    (folder / "executor.pem").write_bytes(certificates.pem(issued.certificate))
    (folder / "executor.key").write_bytes(certificates.key_pem(issued.key))
    back.start()
    (line,) = wait_until(lambda: lines(back, "certificate_expires"), what="the executor says so")
    assert (line["level"], line["certificate"]) == ("error", f"{folder}/executor.pem")
    assert "has expired" in line["message"]
    wait_until(
        lambda: "certificate has expired; renew it" in ping(front, folder).replace("\n", " "), what="a ping says so"
    )
