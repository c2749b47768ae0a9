"""What an executor's refusal, a problem document, means to the node that it is about."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import requests

from gorchestrator.client.faults import CallFault, FenceStale, Full, JobUnknown, Rejected, Replaced, Unreachable
from gorchestrator.common.reasons import ReasonCode

_PROBLEM = "urn:gorchestrator:problem:"
# The executor's problems by the end of their type; what is not here may pass and is tried again.
_FAULTS: Mapping[str, tuple[type[CallFault], ReasonCode]] = {
    "job-unknown": (JobUnknown, ReasonCode.LOST),
    "fence-stale": (FenceStale, ReasonCode.EXECUTOR_REFUSED),
    "instance-mismatch": (Replaced, ReasonCode.LOST),
    "engine-unknown": (Rejected, ReasonCode.ENGINE),
    "attempt-differs": (Rejected, ReasonCode.INTERNAL),
    "field-not-honoured": (Rejected, ReasonCode.ARGUMENT),
    "options-invalid": (Rejected, ReasonCode.ARGUMENT),
    "job-gone": (JobUnknown, ReasonCode.LOST),
    "invalid": (Rejected, ReasonCode.EXECUTOR_REFUSED),
    "too-large": (Rejected, ReasonCode.EXECUTOR_REFUSED),
}


def refusal(answer: requests.Response, who: str) -> CallFault | None:
    """Return the fault for an answer that is an error; None if it is not one of an executor. ``who`` has answered."""
    try:
        problem = answer.json()
        slug = str(problem["type"]).removeprefix(_PROBLEM)
        detail = str(problem.get("detail") or problem.get("title"))
    except (requests.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None
    text = f"{who}: {detail}{_listed(problem.get('errors'))}"
    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        return Full(text, _retry_after(answer))
    fault, code = _FAULTS.get(slug, (Unreachable, ReasonCode.EXECUTOR_REFUSED))
    return fault(code, text)


def _retry_after(answer: requests.Response) -> float:
    try:
        return max(0.1, float(answer.headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0


def _listed(errors: Any) -> str:
    if not isinstance(errors, list):
        return ""
    return "".join(f"; {item.get('pointer')} {item.get('detail')}" for item in errors[:5] if isinstance(item, dict))
