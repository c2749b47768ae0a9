"""A registry of the tests' own: just enough of its API for an image to be pulled."""

import gzip
import hashlib
import json
import platform
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from docker_support import root_file_system

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Registry(ThreadingHTTPServer):
    """Has one image. ``hanging``: it never sends it."""

    daemon_threads = True

    def __init__(self, *, hanging: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.manifests = 0  # how often it was asked for the image's
        self.go_on = threading.Event()
        if not hanging:
            self.go_on.set()
        layer = gzip.compress(root_file_system(), mtime=0)
        config = _config(gzip.decompress(layer))
        parts = {"config": _part(CONFIG, config), "layers": [_part(LAYER, layer)]}
        self.manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, **parts}).encode()
        self.blobs = {digest(data): data for data in (layer, config, self.manifest)}

    @property
    def image(self) -> str:
        """The name of the image for who pulls it."""
        return f"127.0.0.1:{self.server_address[1]}/pulled:1"


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _part(media: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": media, "size": len(data), "digest": digest(data)}


def _config(layer: bytes) -> bytes:
    # Each time another image, which a daemon does not have a part of from an earlier one.
    labels = {"Labels": {"of": uuid.uuid4().hex}}
    about = {"architecture": ARCHITECTURES.get(platform.machine(), "amd64"), "os": "linux", "config": labels}
    return json.dumps({**about, "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}).encode()


class _Handler(BaseHTTPRequestHandler):
    server: Registry
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        kind, name = self.path.rstrip("/").split("/")[-2:]
        if kind == "manifests":
            self.server.manifests += 1
            self._send(self.server.manifest, MANIFEST)
        elif kind == "blobs":
            self.server.go_on.wait()
            self._send(self.server.blobs[name], "application/octet-stream")
        else:
            self._send(b"{}", "application/json")

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _send(self, data: bytes, kind: str) -> None:
        self.send_response(200)
        headers = {"Content-Type": kind, "Content-Length": len(data), "Docker-Content-Digest": digest(data)}
        for name, value in (headers | {"Docker-Distribution-Api-Version": "registry/2.0"}).items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)


@contextmanager
def registry(*, hanging: bool = False) -> Iterator[Registry]:
    """Serve the image until the end."""
    server = Registry(hanging=hanging)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
