"""Connections that come to nothing are closed soon and hold no orchestrator up; what they need is not passed on."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from executor_support import Executor, body, script, started
from gorchestrator.common.awaiting import HANDSHAKE
from slow_clients import are_closed_and_hold_nobody_up
from support import unmeasured

FEW = 600  # files that a process may have open, where nobody has raised that


@pytest.fixture
def executor(tmp_path: Path, certs: Path) -> Iterator[Executor]:
    """Return an executor that is started where few files may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = Executor(tmp_path, certs)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, hard))
    try:
        with unmeasured(), started(found):
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            yield found
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_callers_that_do_not_shake_hands(executor: Executor) -> None:
    def ask() -> None:
        assert executor.call("GET", "ping").status_code == 200

    port = int(executor.server.url.rpartition(":")[2])
    are_closed_and_hold_nobody_up(port, "\\x16", HANDSHAKE, ask)
    ended = executor.run(body(script("ulimit -S -n")))
    assert ended["state"] == 3
    assert ended["log"] == f"{FEW}\n".encode()
