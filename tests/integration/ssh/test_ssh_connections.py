"""What becomes of connections that nobody uses any more, and of what they have left on this machine."""

import os
import pwd
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import psutil
import pytest

from executor.config import Config
from executor.ssh import connections, hosts, sockets
from executor.ssh.connections import Connections
from executor.ssh.sockets import Sockets
from executor_support import Executor, script
from integration.ssh.test_ssh_runs import gate, node
from ssh_support import HOST, Sshd
from support import wait_until

SUCCESS, FAILURE = 3, 4


@pytest.fixture
def ours(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connections]:
    """Connections of this process, which are idle after a second."""
    for module in (connections, hosts):
        monkeypatch.setattr(module, "IDLE", 1)
    found = Connections(Config(data=tmp_path / "data", ssh_hosts=server.hosts))
    yield found
    found.close()


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait while the greenlets of this process run."""

    def look() -> bool:
        gevent.sleep(0.05)
        return condition()

    wait_until(look, 40, what)


def clients(folder: str) -> list[psutil.Process]:
    """Return the OpenSSH clients that listen in a directory."""
    found = []
    for each in psutil.process_iter(["cmdline"]):
        if any(folder in part for part in each.info["cmdline"] or ()):
            found.append(each)
    return found


def test_hosts_that_are_not_used_any_more_are_forgotten(ours: Connections, server: Sshd, tmp_path: Path) -> None:
    folder = Sockets(tmp_path / "data").path
    server.hosts.write_text(f"{HOST}:\n{server.entry()}second:\n{server.entry()}")
    names = [HOST, "second"]
    lines = [ours.open(name, "cat") for name in names]
    assert set(ours._pools) == set(names)
    lines[1].close()
    eventually(lambda: set(ours._pools) == {HOST}, "what is not used is forgotten, and nothing else")
    lines[0].session.stream.sendall(b"still there")
    assert lines[0].session.stream.recv(100) == b"still there"
    assert os.path.isdir(folder)
    lines[0].close()
    eventually(lambda: not ours._pools and not os.path.lexists(folder), "nothing is left")
    assert not clients(folder)
    line = ours.open(HOST, "echo again")
    assert line.session.stream.recv(100) == b"again\n"
    line.close()


def test_a_directory_that_is_removed_while_a_client_begins(
    ours: Connections, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another start of the executor may do that."""
    make = Sockets.folder
    made = []

    def make_and_remove(each: Sockets) -> str:
        made.append(make(each))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    monkeypatch.setattr(Sockets, "folder", make_and_remove)
    line = ours.open(HOST, "echo hello")
    assert line.session.stream.recv(100) == b"hello\n"
    assert len(made) > 1  # more, where a client was idle before this machine came to use it
    line.close()


def test_what_an_executor_that_was_killed_has_left(ours: Connections, tmp_path: Path) -> None:
    found = Sockets(tmp_path / "data")
    folder = Path(found.folder())
    before = time.time() - 2 * sockets.YOUNG
    for name in ("dead", "young"):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(folder / name))
    os.utime(folder / "dead", (before, before))
    line = ours.open(HOST, "cat")
    (path,) = (each.path for each in ours._pools[HOST]._connections)
    os.utime(path, (before, before))
    found.tidy()
    assert set(os.listdir(folder)) == {"young", Path(path).name}
    line.session.stream.sendall(b"still there")
    assert line.session.stream.recv(100) == b"still there"
    line.close()
    os.utime(folder / "young", (before, before))
    ours.close()
    assert not folder.exists()


def test_an_executor_that_ends_leaves_no_connections(
    new_server: Callable[..., Sshd], new_executor: Callable[..., Executor], tmp_path: Path
) -> None:
    """What runs goes on, and the next executor finds it."""
    executor = new_executor(new_server())
    path, wait = gate(tmp_path)
    job_id = executor.start(node(script("echo begun", wait, "echo ended", "exit 6")))
    folder = Sockets(executor.data).path
    assert os.listdir(folder)
    assert clients(folder)
    executor.server.stop()
    assert not os.path.lexists(folder)
    wait_until(lambda: not clients(folder), what="the clients have ended")
    path.touch()
    executor.start_server()
    job = executor.end(job_id)
    assert (job["state"], job["exit_code"], executor.log_of(job_id)) == (FAILURE, 6, "begun\nended\n")


def test_a_file_of_hosts_of_the_go_project(
    new_server: Callable[..., Sshd], new_executor: Callable[..., Executor], tmp_path: Path
) -> None:
    """It says nothing of host keys: those are known by the user's own configuration of ssh."""
    server = new_server()
    key = server.folder / "user"
    lines = ("host: 127.0.0.1", f"port: {server.port}", f"public_key: {key}.pub", f"private_key: {key}")
    user = pwd.getpwuid(os.geteuid()).pw_name
    server.hosts.write_text("\n  ".join([f"{HOST}:", *lines, f"remote_user: {user}"]) + "\n")
    (tmp_path / "config").write_text(f"UserKnownHostsFile {server.folder}/known\n")
    executor = new_executor(server, SSH_CONFIG=str(tmp_path / "config"))
    assert executor.run(node("id", "-un"))["log"].decode() == f"{user}\n"


def test_the_next_executor_removes_the_directory_of_one_that_was_killed(tmp_path: Path, ours: Connections) -> None:
    """Also if it never connects to any host."""
    folder = Path(Sockets(tmp_path / "data").folder())
    ours.close()
    folder.mkdir(mode=0o700)
    next_one = Connections(Config(data=tmp_path / "data"))
    eventually(lambda: not folder.exists(), "it is removed")
    next_one.close()
