"""The doctor called by somebody who may not look at the service's files."""

import os

import pytest

from gorchestrator import certificates, doctor
from gorchestrator.common.endpoints import Endpoint
from gorchestrator.config import Config
from gorchestrator.doctor import Level
from gorchestrator.store import schema

NOBODY = 65534


@pytest.fixture
def closed(tmp_path):
    """Make a data directory and certificates that this process may not look at while the test runs."""
    schema.ensure(tmp_path / "home" / "data" / "gorchestrator.db")
    certificates.write(tmp_path / "home" / "certs")
    root = os.geteuid() == 0
    (tmp_path / "home").chmod(0o700 if root else 0)
    if root:
        os.seteuid(NOBODY)
    yield tmp_path / "home"
    if root:
        os.seteuid(0)
    (tmp_path / "home").chmod(0o700)


def test_what_may_not_be_looked_at_is_said(closed):
    config = Config(data=closed / "data", certs=closed / "certs", executors={"one": Endpoint("https://127.0.0.1:1")})
    found = list(doctor.orchestrator(config))
    bad = {(each.check, each.subject) for each in found if each.level is Level.FAULT}
    assert bad == {
        ("certificates", str(closed / "certs" / "orchestrator.pem")),
        ("certificates", str(closed / "certs" / "ca.pem")),
        ("permissions", str(closed / "data")),
        ("database", str(closed / "data" / "gorchestrator.db")),
        ("audit", str(closed / "data" / "audit.key")),
        ("executors", "one"),
    }
    assert all("Permission denied" in each.says for each in found if each.level is Level.FAULT)
