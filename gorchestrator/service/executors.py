"""What the service tells about itself: its executors, as they answer now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gevent

from gorchestrator.client.choice import defaults
from gorchestrator.client.executor import RemoteExecutor
from gorchestrator.client.fleet import Fleet
from gorchestrator.common import expiry
from gorchestrator.common.expiry import InUse

_PING_PATIENCE = 3.0  # seconds for all executors to answer


@dataclass(frozen=True, slots=True)
class ExecutorView:
    """What a ping tells about one executor. ``engines`` and the numbers are None where it does not answer.

    ``since``: since when it can be reached, or cannot, as far as this process knows (seconds since the epoch).
    ``certificate``: what it has shown when a connection was made last. ``default``: whether it takes nodes for none in
    particular, which it does if no other one is said to.
    """

    name: str
    url: str
    since: float | None
    reason: str | None = None
    engines: Mapping[str, Any] | None = None
    capacity: int | None = None
    load: int | None = None
    certificate: InUse | None = None
    labels: Sequence[str] = ()
    weight: float = 1.0
    default: bool = True


class Executors:
    """The executors that are configured."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def ping(self) -> list[ExecutorView]:
        """Ask all executors at once."""
        executors = list(self._fleet)
        asked = [gevent.spawn(_view, executor) for executor in executors]
        gevent.joinall(asked, timeout=_PING_PATIENCE)
        gevent.killall(asked, block=False)
        default = {executor.name for executor in defaults(executors)}
        return [
            replace(
                greenlet.value if isinstance(greenlet.value, ExecutorView) else _late(executor),
                labels=executor.endpoint.labels,
                weight=executor.endpoint.weight,
                default=executor.name in default,
            )
            for executor, greenlet in zip(executors, asked, strict=True)
        ]

    def own_certificates(self) -> list[InUse]:
        """Return the certificates of this service: the one that it serves with, what it shows executors, its CAs."""
        return [each for each in expiry.in_use() if each.kind != "executor"]


def _late(executor: RemoteExecutor) -> ExecutorView:
    since = None if executor.contact.wait(0) else executor.contact.since_at  # it may just be slow this once
    reason = f"executor {executor.name!r} at {executor.url} did not answer in time"
    return ExecutorView(executor.name, executor.url, since, reason, certificate=executor.api.certificate)


def _view(executor: RemoteExecutor) -> ExecutorView:
    info, fault = executor.ask()
    since, shown = executor.contact.since_at, executor.api.certificate
    if info is None:
        return ExecutorView(executor.name, executor.url, since, fault, certificate=shown)
    return ExecutorView(executor.name, executor.url, since, None, info.engines, info.capacity, info.load, shown)
