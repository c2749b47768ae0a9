"""What the executor's views have in common: the service they work with, refusals, ids, waits and answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Response, current_app

from executor import answers, refusals
from executor.config import Config
from executor.job import Job
from executor.measures import Measures
from executor.runner import Runner
from executor.watch import Growth
from gorchestrator.common.http.parameters import applied
from gorchestrator.common.http.problems import Invalid, Problem, make, respond
from gorchestrator.common.metrics.pulse import Pulse
from gorchestrator.common.wire import ATTEMPT_ID

EXTENSION = "gorch-executor"
RETRY_AFTER = "1"  # seconds

STATUS = {
    refusals.JobUnknown: HTTPStatus.NOT_FOUND,
    refusals.JobGone: HTTPStatus.GONE,
    refusals.JobNotFinal: HTTPStatus.CONFLICT,
    refusals.AttemptDiffers: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusals.EngineUnknown: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusals.FieldNotHonoured: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusals.OptionsInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusals.FenceStale: HTTPStatus.CONFLICT,
    refusals.InstanceMismatch: HTTPStatus.PRECONDITION_FAILED,
    refusals.QueueFull: HTTPStatus.SERVICE_UNAVAILABLE,
    refusals.StorageFull: HTTPStatus.SERVICE_UNAVAILABLE,
    refusals.Draining: HTTPStatus.SERVICE_UNAVAILABLE,
}


class CertificateRequired(Problem):
    """Show a client certificate of the CA that this executor trusts (setting tls_ca)."""

    type = "certificate-required"
    status = 403
    title = "Certificate required"


class CallerNotAllowed(Problem):
    """The certificate is of somebody else than those that this executor works for."""

    type = "caller-not-allowed"
    status = 403
    title = "Caller not allowed"


@dataclass(frozen=True, slots=True)
class Service:
    """What the views work with."""

    config: Config
    instance: str  # made once in the data directory
    runner: Runner
    growth: Growth
    measures: Measures
    pulse: Pulse


def service() -> Service:
    """Return the service of the application that answers the request."""
    found: Service = current_app.extensions[EXTENSION]
    return found


def refused(error: refusals.Refused) -> Response:
    """Answer a refusal."""
    status = STATUS[type(error)]
    headers = {"Retry-After": RETRY_AFTER} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    title = error.code.replace("-", " ").capitalize()
    return respond(make(error.code, status, title, error.detail, headers=headers, **error.data))


def checked(job_id: str) -> str:
    """Return the id of a task, which becomes the name of a directory; raises a problem if it is none."""
    if ATTEMPT_ID.fullmatch(job_id):
        return job_id
    raise Invalid(f"{job_id[:100]!r} is not the id of a task; it is RUN.NODE.ATTEMPT, RUN being 32 hexadecimal digits.")


def job_answer(job: Job, log_from: int | None, waited: float = 0) -> Response:
    """Answer with a job: 200 when it has ended, else 202."""
    status = HTTPStatus.OK if job.result else HTTPStatus.ACCEPTED
    return document(answers.of(job, log_from), status, applied(waited))


def document(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(json.dumps(content) + "\n", status, headers, mimetype="application/json")
