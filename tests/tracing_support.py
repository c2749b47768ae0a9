"""A receiver of OTLP over HTTP, which keeps the spans that it takes."""

import gzip
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from gorchestrator.common.traceparent import trace_of
from support import wait_until


@dataclass(frozen=True)
class Seen:
    """A span as it came, ids in hexadecimal digits."""

    trace: str
    id: str
    parent: str
    name: str
    kind: int
    begun: int  # nanoseconds
    over: int
    failed: bool
    about: dict[str, Any] = field(hash=False)
    links: tuple[tuple[str, str], ...]


@dataclass
class OtlpReceiver:
    """What the server of :func:`receiving` has taken, and how it answers."""

    port: int = 0
    spans: list[Seen] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    more: dict[str, str] = field(default_factory=dict)  # headers of its answers
    refused: int = 0  # requests that were answered with another status than 200
    rejects: int = 0  # spans that it says it has rejected

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def of(self, task: str) -> list[Seen]:
        """Return the spans of a task's trace."""
        return [span for span in list(self.spans) if span.trace == trace_of(task)]

    def whole(self, task: str) -> dict[str, Seen]:
        """Wait for the span of a task, which comes last; return all of its trace by name, none twice."""
        wait_until(lambda: any(not span.parent for span in self.of(task)), what="the trace")
        found = self.of(task)
        assert len({span.id for span in found}) == len(found)
        return {span.name: span for span in found}

    def take(self, body: bytes) -> bytes:
        request = ExportTraceServiceRequest.FromString(gzip.decompress(body))
        for resource in request.resource_spans:
            self.resource = _values(resource.resource.attributes)
            self.spans += [_seen(span) for scope in resource.scope_spans for span in scope.spans]
        answer = ExportTraceServiceResponse()
        if self.rejects:
            answer.partial_success.rejected_spans = self.rejects
            answer.partial_success.error_message = "too old"
        return answer.SerializeToString()


def _seen(span: Any) -> Seen:
    return Seen(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.name,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code == span.status.STATUS_CODE_ERROR,
        _values(span.attributes),
        tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: OtlpReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        here = self.receiver
        here.headers.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
        status = here.status
        answer = here.take(body) if status == 200 else b""
        here.refused += status != 200
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **here.more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving(certs: Path | None = None) -> Iterator[OtlpReceiver]:
    """Serve at a free port; ``certs``: over HTTPS, as the executor."""
    found = OtlpReceiver()
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"receiver": found})) as server:
        server.daemon_threads = True
        if certs is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certs / "executor.pem", certs / "executor.key")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()
