"""Each executor, asked over mutual TLS as the service asks it: its version, its clock, its engines, its certificate."""

import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gorchestrator import __version__
from gorchestrator.client.answers import Info
from gorchestrator.client.api import Certificates, ExecutorApi
from gorchestrator.client.faults import CallFault
from gorchestrator.common.endpoints import Endpoint, Endpoints
from gorchestrator.common.expiry import WARNING, day, in_words
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.doctor.finding import Finding, Findings

_AT_ONCE = 16  # executors that are asked
_APART = 2.0  # seconds between two clocks that are told; an answer's Date has no fractions
_FAR_APART = 300.0  # seconds beyond which a certificate that was just issued does not hold yet over there
_SET_CLOCKS = "have both machines set their clocks (chrony, systemd-timesyncd)"


def check(endpoints: Endpoints, shared: Certificates) -> Iterator[Finding]:
    """Ask all executors at once; ``shared`` are the certificates of those that have none of their own."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found in pool.map(lambda name: _look(name, endpoints[name], shared), endpoints):
            yield from found


def _look(name: str, endpoint: Endpoint, shared: Certificates) -> list[Finding]:
    api = ExecutorApi(name, endpoint.url, shared.of(endpoint))
    try:
        return list(_ask(api))
    finally:
        api.close()


def _ask(api: ExecutorApi) -> Iterator[Finding]:
    told, begin = Findings("executors", api.name), time.time()
    try:
        info = api.ping()
    except CallFault as fault:
        refused = fault.code is not ReasonCode.EXECUTOR_UNREACHABLE
        advice = "do what it says, here or on its machine" if refused else "start it, or look at URL and firewall"
        yield told.fault(fault.reason, advice)
        return
    end = time.time()
    yield told.ok(f"answers at {api.url} over {'mutual TLS' if api.url.startswith('https:') else 'plain HTTP'}")
    yield from _certificate(api, end)
    yield _version(info, Findings("versions", api.name))
    if info.clock is not None:
        yield _clock(_skew(info.clock, begin, end), Findings("clocks", api.name))
    yield from engines(api.name, info.engines)


def _certificate(api: ExecutorApi, now: float) -> Iterator[Finding]:
    shown = api.certificate
    if shown is None:
        return
    told = Findings("certificates", api.name)
    says = f"shows {shown.subject}, which holds until {day(shown.not_after)} ({in_words(shown.not_after, now)})"
    late = shown.not_after - now < WARNING
    yield told.warning(says, "renew it, and bring it there: gorch certs renew") if late else told.ok(says)


def _version(info: Info, told: Findings) -> Finding:
    if info.version == __version__:
        return told.ok(f"is of version {info.version}")
    return told.warning(
        f"is of version {info.version or 'unknown'}, this is {__version__}",
        "bring both to one version, executors first",
    )


def _skew(clock: float, begin: float, end: float) -> float:
    """Return by how many seconds a clock is ahead at the least (negative: behind), asked between two times of ours."""
    ahead, behind = clock - end, clock + 1 - begin
    return ahead if ahead > 0 else min(behind, 0.0)


def _clock(skew: float, told: Findings) -> Finding:
    if abs(skew) <= _APART:
        return told.ok("its clock agrees with this one")
    says = f"its clock is {abs(skew):,.0f} s {'ahead of' if skew > 0 else 'behind'} this one"
    return told.fault(says, _SET_CLOCKS) if abs(skew) > _FAR_APART else told.warning(says, _SET_CLOCKS)


def engines(executor: str, found: Mapping[str, Mapping[str, Any]]) -> Iterable[Finding]:
    """Tell of each engine whether it can work; one that cannot is a fault only for who wants it."""
    for name, about in sorted(found.items()):
        told = Findings("engines", f"{executor}: {name}")
        if about.get("ok"):
            yield told.ok("can work")
        else:
            yield told.warning(
                f"cannot work: {about.get('reason')}", "do what it says, unless nobody wants this engine"
            )
