"""A Docker daemon of the tests' own, with an image made from busybox: no registry, no network, nothing shared."""

import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from beds import needs
from support import wait_until

IMAGE = "gorch-test:latest"  # Podman knows no other tag of what is imported
OPTIONS = ("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
GATE = "/tmp/gate"
WAIT = f"while [ ! -e {GATE} ]; do sleep 0.05; done"
WHOLE_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


@dataclass
class Dockerd:
    """A daemon that works in a folder, which can be stopped and started again."""

    folder: Path
    process: "subprocess.Popen[bytes] | None" = None
    live_restore: bool = False  # its containers go on without it

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"unix://{self.folder}/docker.sock"

    def start(self) -> None:
        """Start it, and return when it answers."""
        with (self.folder / "log").open("ab") as out:
            env = {**os.environ, "PATH": WHOLE_PATH, "CONTAINERS_CONF": f"{self.folder}/containers.conf"}
            # There, because Podman leaves a file `oom` where it works.
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdout=out, stderr=out, env=env, start_new_session=True
            )
        wait_until(self._answers, 60, "the daemon answers")

    def command(self) -> list[str]:
        """Return its command line."""
        places = [f"--data-root={self.folder}/root", f"--exec-root={self.folder}/exec", f"--pidfile={self.folder}/pid"]
        more = ["--live-restore"] if self.live_restore else []
        return ["dockerd", *places, f"--host={self.host}", *OPTIONS, *more]

    def stop(self) -> None:
        """End it as its operator does: containers are stopped."""
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it take calls and not answer them."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it, and the containerd below it, as a crash does: containers live on until it is back."""
        assert self.process
        below = self.folder / "exec/containerd/containerd.pid"
        containerd = int(below.read_text())
        self.process.kill()
        self.process.wait()
        self.process = None
        with suppress(ProcessLookupError):
            os.kill(containerd, signal.SIGKILL)
        below.unlink()  # where nobody collects dead children it would be taken for alive

    def client(self) -> Any:
        """Return a client of it, to be closed."""
        return docker.APIClient(base_url=self.host, timeout=60)

    def containers(self, **filters: str) -> list[dict[str, Any]]:
        """Return what there is of containers, running or not."""
        client = self.client()
        try:
            found: list[dict[str, Any]] = client.containers(all=True, filters=filters)
            return found
        finally:
            client.close()

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return the container of a name, if there is one."""
        return [each for each in self.containers() if f"/{name}" in each["Names"]]

    def make_image(self) -> None:
        """Import the image: busybox and its names."""
        client = self.client()
        try:
            repository, _, tag = IMAGE.partition(":")
            client.import_image_from_data(root_file_system(), repository=repository, tag=tag)
        finally:
            client.close()

    def printed(self, name: str) -> bytes:
        """Return what a container has printed."""
        client = self.client()
        try:
            found: bytes = client.logs(name)
            return found
        finally:
            client.close()

    def open_gate(self, name: str) -> None:
        """Make the file that a container waits for."""
        client = self.client()
        client.exec_start(client.exec_create(name, ["touch", GATE]))
        client.close()

    def remove(self, name: str) -> None:
        """Remove a container, running or not."""
        client = self.client()
        client.remove_container(name, force=True)
        client.close()

    def tag(self, repository: str, tag: str) -> None:
        """Give the image another name."""
        client = self.client()
        try:
            client.tag(IMAGE, repository, tag)
        finally:
            client.close()

    def _answers(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            pytest.fail(f"the daemon ended: {(self.folder / 'log').read_text()[-3000:]}")
        with socket.socket(socket.AF_UNIX) as probe:  # the SDK leaves its sockets open when nobody answers
            probe.settimeout(30)
            try:
                probe.connect(self.host.removeprefix("unix://"))
                probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return b" 200 " in probe.recv(64)
            except OSError:
                return False


class Podman(Dockerd):
    """Podman's service, which speaks the same API. Its containers are nobody's children and outlive it."""

    def command(self) -> list[str]:
        # Its own limits may be more than those of the machine, and its locks are shared with every other Podman.
        limits = '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
        (self.folder / "containers.conf").write_text(f'{limits}[engine]\nlock_type = "file"\n')
        places = [f"--root={self.folder}/root", f"--runroot={self.folder}/run", f"--tmpdir={self.folder}/tmp"]
        options = ["--cgroup-manager=cgroupfs", "--events-backend=file"]
        return ["podman", *places, *options, "system", "service", "--time=0", self.host]


@contextmanager
def dockerd() -> Iterator[Dockerd]:
    """Return a daemon with the image; nothing is left of it."""
    needs("dockerd", "busybox")
    with _running(Dockerd) as daemon:
        yield daemon


@contextmanager
def podman() -> Iterator[Dockerd]:
    """Return the same made of Podman, where that is installed."""
    if shutil.which("podman", path=WHOLE_PATH) is None:
        pytest.skip("Podman is not installed")
    needs("busybox")
    with _running(Podman) as daemon:
        yield daemon


@contextmanager
def _running(kind: type[Dockerd]) -> Iterator[Dockerd]:
    if os.geteuid() != 0:
        pytest.skip("a daemon of one's own needs root")
    with _folder() as folder:
        daemon = kind(folder)
        try:
            daemon.start()
            daemon.make_image()
            yield daemon
        finally:
            daemon.stop()


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gorch-docker-"))  # a short path: those of sockets are limited
    try:
        yield folder
    finally:
        for process in _working_in(folder):  # what a daemon that was killed has left
            with suppress(psutil.NoSuchProcess):
                for each in [*process.children(recursive=True), process]:
                    each.kill()
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            place = line.split()[1]
            if place.startswith(f"{folder}/"):
                subprocess.run(["umount", "-l", place], check=False)
        shutil.rmtree(folder)


def _working_in(folder: Path) -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [each for each in found if any(f"{folder}/" in word for word in each.info["cmdline"] or ())]


def root_file_system() -> bytes:
    """Return a tar archive with busybox and its applets."""
    busybox = shutil.which("busybox", path=WHOLE_PATH)
    assert busybox
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in ("bin", "tmp"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        archive.add(busybox, "bin/busybox", filter=_executable)
        for name in applets:
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            if name != "busybox":
                archive.addfile(entry)
    return data.getvalue()


def _executable(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode = 0o755
    return entry


def node(*lines: str, **fields: Any) -> dict[str, Any]:
    """Return the node that runs lines of shell in the image."""
    return {"name": "n", "engine": "docker", "artifact": IMAGE, "args": ["/bin/sh", "-c", "\n".join(lines)], **fields}
