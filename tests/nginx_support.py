"""A real nginx with the configuration of the examples, at free ports and with certificates of the tests."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import ROOT, wait_until

EXAMPLE = ROOT / "examples" / "deployment" / "nginx.conf"
NAME = "gorch.example.org"
_TRIES = 5  # free ports that somebody else may have taken first
_MAIN = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """An nginx that runs: its ports, and the CA of its certificate."""

    https: int
    http: int
    ca: Path


def required() -> str:
    """Return the program; skips the test where there is none, but for CI, which has to have it."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        assert not os.environ.get("CI"), "CI has to have nginx"
        pytest.skip("there is no nginx")
    return found


def site(backend: int, https: int, http: int, cert: Path, key: Path) -> str:
    """Return the example with these ports and files in the place of its own; each has to be there."""
    text = EXAMPLE.read_text("utf-8")
    for old, new in (
        (r"server 127\.0\.0\.1:8080;", f"server 127.0.0.1:{backend};"),
        (r"listen 443 ssl http2;", f"listen 127.0.0.1:{https} ssl http2;"),
        (r"listen 80;", f"listen 127.0.0.1:{http};"),
        (r"ssl_certificate /\S+;", f"ssl_certificate {cert};"),
        (r"ssl_certificate_key /\S+;", f"ssl_certificate_key {key};"),
    ):
        text, changed = re.subn(old, new, text)
        assert changed == 1, old
    return text


@contextmanager
def nginx(folder: Path, backend: int, certs: Path) -> Iterator[Nginx]:
    """Run nginx in front of the service at a port; ``certs`` has a CA and the certificate ``proxy``."""
    program = required()
    for _ in range(_TRIES):
        https, http = _free(), _free()
        text = site(backend, https, http, certs / "proxy.pem", certs / "proxy.key")
        (folder / "site.conf").write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user))
        command = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            if wait_until(lambda p=process, port=https: _serves(p, port), what="nginx serves") == "yes":
                try:
                    yield Nginx(https, http, certs / "ca.pem")
                finally:
                    process.terminate()
                return
    pytest.fail((folder / "error.log").read_text())


def _serves(process: subprocess.Popen[bytes], port: int) -> str:
    if process.poll() is not None:
        return "no"
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return "yes"
    return ""


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
