"""Rows of the journal become spans as OTLP has them. No SDK is needed for that: nothing is measured here."""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from socket import gethostname

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from gorchestrator import __version__
from gorchestrator.common.states import State
from gorchestrator.common.traceparent import parts, span_of, trace_of
from gorchestrator.domain.records import AttemptRow, NodeRow, TaskRow, TracedNode

_FAILED = frozenset({State.FAILURE, State.TIMEOUT})
_LONGEST = 1024  # characters of a reason: its first lines say what there is to say
_MICRO, _NANO_OF_MICRO = 1_000_000, 1000

Attributes = Mapping[str, str | int | None]


class Batch:
    """Spans that are sent together. Its methods may be called in any thread, one at a time."""

    def __init__(self) -> None:
        self._request = ExportTraceServiceRequest()
        resource = self._request.resource_spans.add()
        told = {"service.name": "gorchestrator", "service.version": __version__, "host.name": gethostname()}
        resource.resource.attributes.extend(_attributes(told))
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = "gorchestrator", __version__
        self._spans = scope.spans

    def __len__(self) -> int:
        return len(self._spans)

    def packed(self) -> bytes:
        """Return the body of the request, compressed with gzip."""
        return gzip.compress(self._request.SerializeToString(), compresslevel=1)

    def add_task(self, task: TaskRow, context: str) -> None:
        """Add the span of a task; ``context``: the trace context that it was submitted in, or nothing."""
        about: dict[str, str | int | None] = {f"gorch.label.{key}": value for key, value in task.labels.items()}
        about |= {"gorch.task.name": task.name, "gorch.rerun_of": task.rerun_of, **_ended(task)}
        span = self._add(task.id, (), task.name or "graph", task.accepted_at, task.stopped_at, about)
        span.attributes.extend(_attributes({"gorch.nodes": task.size}))
        _judge(span, task)
        if context:
            trace, submitter = parts(context)
            span.links.add(trace_id=bytes.fromhex(trace), span_id=bytes.fromhex(submitter))
        if task.rerun_of is not None:
            span.links.add(trace_id=_trace(task.rerun_of), span_id=_span(task.rerun_of))

    def add_nodes(self, task: TaskRow, nodes: Sequence[TracedNode], most: int) -> int:
        """Add nodes of a task with their attempts until there are ``most`` spans; return how many, one at least."""
        for place, node in enumerate(nodes, 1):
            self._add_node(task, node)
            for attempt in node.attempts:
                self._add_attempt(task, node, attempt)
            if len(self) >= most:
                return place
        return len(nodes)

    def _add_node(self, task: TaskRow, node: TracedNode) -> None:
        row = node.row
        begun, over = _between(task, node)
        about = _about(node) | {"gorch.executor": row.executor, "gorch.attempts": row.attempt, **_ended(row)}
        span = self._add(task.id, (row.node,), node.name, begun, over, about)
        span.parent_span_id = _span(task.id)
        _judge(span, row)

    def _add_attempt(self, task: TaskRow, node: TracedNode, row: AttemptRow) -> None:
        about = _about(node) | {"gorch.executor": row.executor, "gorch.attempt": row.attempt, **_ended(row)}
        about |= {"process.exit.code": row.exit_code}
        over = row.stopped_at or task.stopped_at
        span = self._add(
            task.id, (row.node, row.attempt), f"{node.engine} attempt {row.attempt}", row.started_at, over, about
        )
        span.parent_span_id = _span(task.id, row.node)
        span.kind = Span.SPAN_KIND_CLIENT
        _judge(span, row)

    def _add(
        self,
        task: str,
        place: tuple[int, ...],
        name: str,
        begun: float | None,
        over: float | None,
        about: Attributes,
    ) -> Span:
        start = _nano(begun if begun is not None else over)
        span: Span = self._spans.add(
            trace_id=_trace(task),
            span_id=_span(task, *place),
            name=name,
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=start,
            end_time_unix_nano=max(start, _nano(over if over is not None else begun)),
        )
        span.attributes.extend(_attributes({"gorch.task.id": task, **about}))
        return span


def _about(node: TracedNode) -> dict[str, str | int | None]:
    return {"gorch.node.name": node.name, "gorch.node.id": node.row.node, "gorch.engine": node.engine}


def _ended(row: TaskRow | NodeRow | AttemptRow) -> dict[str, str | int | None]:
    reason = row.reason and row.reason[:_LONGEST]
    return {"gorch.state": row.state.label, "gorch.reason_code": row.reason_code, "gorch.reason": reason}


def _judge(span: Span, row: TaskRow | NodeRow | AttemptRow) -> None:
    """Say where something has failed; what was canceled, or was not to run, has not."""
    if row.state in _FAILED:
        span.status.code = Status.STATUS_CODE_ERROR
        span.status.message = (row.reason or row.state.label)[:_LONGEST]
        span.attributes.extend(_attributes({"error.type": row.reason_code or row.state.label}))


def _between(task: TaskRow, node: TracedNode) -> tuple[float | None, float | None]:
    """Return when a node began and ended: its first attempt, and not the last, as its row says."""
    row, tries = node.row, node.attempts
    begun = [at for at in (row.started_at, *(each.started_at for each in tries)) if at is not None]
    over = [at for at in (row.stopped_at, *(each.stopped_at for each in tries)) if at is not None]
    return min(begun, default=None), max(over, default=task.stopped_at)


def _attributes(about: Attributes) -> Iterator[KeyValue]:
    for key, value in about.items():
        if isinstance(value, int):
            yield _number(key, value)
        elif value is not None and value != "":
            found = KeyValue(key=key)
            found.value.string_value = value
            yield found


def _number(key: str, value: int) -> KeyValue:
    found = KeyValue(key=key)
    found.value.int_value = value
    return found


def _nano(seconds: float | None) -> int:
    return round((seconds or 0.0) * _MICRO) * _NANO_OF_MICRO


def _trace(task: str) -> bytes:
    return bytes.fromhex(trace_of(task))


def _span(task: str, *place: int) -> bytes:
    return bytes.fromhex(span_of(task, *place))
