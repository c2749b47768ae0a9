"""Certificates change, and expire, while nodes run: nobody restarts anything, and nothing is lost."""

import datetime
import json
import shutil

import pytest
import requests

from failures_support import PATIENCE, RUNNING
from gorchestrator import certificates
from support import run_gorch, wait_until

SHORT = 20.0  # seconds that a certificate holds: long enough to be taken into use


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "certs"
    certificates.write(found)
    return found


class Renewal:
    """Runs ``gorch certs``, and waits until both services have what it has written."""

    def __init__(self, house, folder):
        self.house = house
        self.folder = folder
        self.times = 0

    def run(self, *command):
        done = run_gorch("certs", *command, "--dir", self.folder)
        assert done.returncode == 0, done.stderr
        self.taken()

    def taken(self):
        self.times += 1
        wait_until(lambda: self.lines("orchestrator") == 2 * self.times, PATIENCE, "both workers have them")
        wait_until(lambda: self.lines("executor") == self.times, PATIENCE, "the executor has them")

    def lines(self, service, event="certificates_renewed"):
        server = self.house.executor.server if service == "executor" else self.house.orchestrator
        lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
        return sum(line["event"] == event for line in lines)


def test_all_certificates_renewed_while_running(new_house, folder, tmp_path):
    """The CA with a new key, then all that it has issued; in the end what the old CA has issued is refused."""
    house = new_house(folder)
    renewal = Renewal(house, folder)
    before = tmp_path / "before"
    shutil.copytree(folder, before)
    task = house.submit(house.node(gate="renewed"), house.node("after", needs=["node"]))
    house.has_run(task)
    house.shows(task, state=RUNNING)
    for command in (("renew", "ca", "--new-key"), ("renew", "--new-key"), ("retire",)):
        renewal.run(*command)
        house.proxy.hang_up()
        house.in_contact()
        assert house.shows(task, state=RUNNING, reason_code=None)["attempt"] == 1
    old = house.executor.new_session((before / "orchestrator.pem", before / "orchestrator.key"))
    with pytest.raises(requests.ConnectionError):
        old.get(f"{house.executor.server.url}/v1/ping", timeout=PATIENCE)
    new = house.executor.new_session()
    assert new.get(f"{house.executor.server.url}/v1/ping", timeout=PATIENCE).status_code == 200
    for session in (old, new):
        session.close()
    for service in ("orchestrator", "executor"):
        assert renewal.lines(service, "certificates_refused") == 0
        assert renewal.lines(service, "executor_started") == (service == "executor")  # nobody has restarted anything
    house.open("renewed")
    house.once(task)
    house.once(task, name="after")


def test_certificate_expired_while_running(new_house, folder):
    """Both services' certificates expire; the node is found again when there are others, without any signal."""
    house = new_house(folder)
    renewal = Renewal(house, folder)
    task = house.submit(house.node(gate="expired"))
    house.has_run(task)
    authority = certificates.read(folder, "ca")
    ends = datetime.datetime.now() + datetime.timedelta(seconds=SHORT)
    for name in certificates.SERVICES:
        issued = certificates.issue(authority, name, certificates.local_names(), SHORT / 86400)
        contents = {
            f"{name}.key": certificates.key_pem(issued.key),
            f"{name}.pem": certificates.pem(issued.certificate),
        }
        certificates.replace_together(folder, contents)
    renewal.taken()
    house.proxy.hang_up()
    house.in_contact()
    wait_until(lambda: datetime.datetime.now() > ends, what="the certificates have expired")
    house.proxy.hang_up()
    house.shows(task, state=RUNNING, reason="certificate has expired", reason_code="executor_refused")
    house.shows(task, reason="its certificate (executor) has expired (20")
    house.open("expired")
    renewal.run("renew")
    house.once(task)
    house.once(house.submit(house.node()))
