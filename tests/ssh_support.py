"""Parts of tests: a real sshd of one's own, on 127.0.0.1, for the user that runs the tests."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from beds import needs
from support import wait_until

HOST = "bed"


def mark() -> str:
    """Return a number of seconds that nobody else sleeps for."""
    return f"7{int.from_bytes(os.urandom(3)):08d}"


@dataclass
class Sshd:
    """The server: keys, configuration and the home directory of whoever logs in are in ``folder``."""

    folder: Path
    extra: tuple[str, ...] = ()  # lines of its configuration; {folder} is its own
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    hosts: Path = field(init=False)

    def __post_init__(self) -> None:
        needs("sshd", "ssh", "ssh-keygen")
        self.folder.mkdir(exist_ok=True)
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        self.port = self.port or _free_port()
        for name in ("host", "user"):
            self.make_key(name)
        (self.folder / "authorized").write_text((self.folder / "user.pub").read_text())
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {(self.folder / 'host.pub').read_text()}")
        self.hosts = self.folder / "hosts.yaml"
        self.hosts.write_text(f"{HOST}:\n{self.entry()}")

    def make_key(self, name: str) -> None:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)

    def entry(self, **other: object) -> str:
        """Return what a file of hosts says of it, indented."""
        values = {"host": "127.0.0.1", "port": self.port, "private_key": "user", "known_hosts": "known"} | other
        return "".join(f"  {name}: {value}\n" for name, value in values.items())

    @property
    def settings(self) -> Mapping[str, str]:
        """Settings of an executor that reaches it as ``bed``."""
        return {"SSH_HOSTS": str(self.hosts)}

    @property
    def jobs(self) -> list[str]:
        """The directories of jobs that are there."""
        folder = self.home / ".gorchestrator"
        return sorted(os.listdir(folder)) if folder.exists() else []

    def start(self) -> None:
        """Start it; returns when it listens."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        lines = (
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.folder}/host",
            f"AuthorizedKeysFile {self.folder}/authorized",
            f"PidFile {self.folder}/pid",
            f"SetEnv HOME={self.home}",
            "UsePAM no",
            "StrictModes no",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            *(line.replace("{folder}", str(self.folder)) for line in self.extra),
        )
        config = self.folder / "sshd_config"
        config.write_text("\n".join([*lines, ""]))
        program = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/sbin") or "sshd"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=log)
        wait_until(self._listens, what="sshd listens")

    def stop(self) -> None:
        """Stop it; what it serves goes on."""
        if self.process:
            self.process.terminate()
            self.process.wait(10)

    def cut(self) -> None:
        """Break all connections to it: its processes are killed, and what they run is not."""
        assert self.process
        for each in self._sessions():
            with suppress(psutil.NoSuchProcess):
                each.kill()

    def reboot(self) -> None:
        """End at one moment whatever runs there, as a reboot does; the server is not started again."""
        self.stop()
        self.cut()
        self._end_all("HOME", str(self.home))

    def end(self, job: str) -> None:
        """End a job so that nothing of it is left, as if it had never been started."""
        folder = self.home / ".gorchestrator" / job
        shell = psutil.Process(int((folder / "runner").read_text()))
        shell.kill()
        self._end_all("GORCH_OUTPUT", f"{folder}/output")
        shutil.rmtree(folder)

    @staticmethod
    def _end_all(variable: str, value: str) -> None:
        running = [each for each in psutil.process_iter() if _variable(each, variable) == value]
        for act in ("suspend", "kill"):  # nobody is to see how another one ends
            for each in running:
                with suppress(psutil.NoSuchProcess):
                    getattr(each, act)()

    def _sessions(self) -> list[psutil.Process]:
        """Return its processes that serve connections, below it or orphaned."""
        return [each for each in psutil.process_iter(["name"]) if each.info["name"] == "sshd" and self._serves(each)]

    def _serves(self, each: psutil.Process) -> bool:
        with suppress(psutil.Error):
            ports = {c.laddr.port for c in each.net_connections("tcp") if c.status == psutil.CONN_ESTABLISHED}
            return self.port in ports
        return False

    def _listens(self) -> bool:
        assert self.process
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@contextmanager
def sshd(folder: Path, *extra: str) -> Iterator[Sshd]:
    """Run a server, and leave nothing of it behind."""
    server = Sshd(folder, extra)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.cut()


def _variable(process: psutil.Process, name: str) -> str | None:
    with suppress(psutil.Error):
        return process.environ().get(name)
    return None


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
