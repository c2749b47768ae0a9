"""The executor's routes: ``/v1/tasks`` and ``/v1/ping``. Views only translate; the runner decides.

The routes of receipts are in ``executor.receipts``.
"""

import logging
import uuid

from flask import Blueprint, Response, request, url_for
from flask.views import MethodView

from executor import engines, refusals, waiting
from executor.attempt import Attempt
from executor.supervised import PATIENCE
from executor.web import CallerNotAllowed, CertificateRequired, checked, document, job_answer, refused, service
from gorchestrator import __version__
from gorchestrator.common import traceparent, wire
from gorchestrator.common.http import body
from gorchestrator.common.http.parameters import number, preferred_wait, wait_of
from gorchestrator.common.tls import peer_names

log = logging.getLogger(__name__)

api = Blueprint("executor", __name__, url_prefix="/v1")
api.register_error_handler(refusals.Refused, refused)

ATTEMPT = wire.AttemptSchema()
NODE = wire.NodeSchema()
MARGIN = 2.0  # seconds that a DELETE waits longer than it takes to find out that something cannot be killed


@api.before_app_request
def require_certificate() -> None:
    """Refuse who shows no certificate, should the server have let it in, or one of somebody we do not work for."""
    config = service().config
    if config.insecure:
        return
    names = peer_names(request.environ)
    if names is None:
        raise CertificateRequired
    if config.allowed_names and not set(names).intersection(config.allowed_names):
        raise CallerNotAllowed(
            f"The caller's certificate is of {' alias '.join(names) or 'nobody by name'}; the setting allowed_names "
            "(GORCH_EXECUTOR_ALLOWED_NAMES) of the executor lists who may call it."
        )


class Task(MethodView):
    """One attempt of a node."""

    def put(self, task_id: str) -> Response:
        """Start an attempt, once.

        ---
        summary: Start an attempt, once
        description: >-
          A second PUT answers the existing task. The answer waits for the end of the task for `Prefer: wait=N`
          seconds, at most 1, and brings the start of the log.
        "parameters":
          - &id {in: path, name: task_id, required: true, description: "RUN.NODE.ATTEMPT", schema: {type: string},
             example: 00112233445566778899aabbccddeeff.0.1}
          - {in: header, name: traceparent, description: "trace context (W3C), which the process gets as TRACEPARENT",
             schema: {type: string}, example: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01}
          - &wait {in: header, name: Prefer, description: "wait=N: answer only after the end or N seconds",
             schema: {type: string}, example: wait=1}
        requestBody:
          required: true
          content:
            application/json:
              schema: Attempt
              example: {name: greet, engine: shell, artifact: echo, args: [colour=blue], output: {colour: ""}}
        responses:
          200: {description: it has ended, content: {application/json: {schema: Job}}}
          202: {description: it waits or runs, content: {application/json: {schema: Job}}}
          400: {description: the body is not JSON, content: &problem {application/problem+json: {schema: Problem}}}
          403: {description: no client certificate, content: *problem}
          409: {description: a higher fence was seen, content: *problem}
          410: {description: it ended long ago and was dropped, content: *problem}
          412: {description: another executor was meant, content: *problem}
          408: {description: the body comes too slowly, content: *problem}
          413: {description: the body is too large, content: *problem}
          415: {description: the body is not said to be JSON, content: *problem}
          422: {description: "the document has faults, the engine is unknown or cannot honour a field, or the id stands
             for something else", content: *problem}
          503: {description: no place is free or it is about to stop; see Retry-After, content: *problem}

        """
        here = service()
        checked(task_id)
        wanted = body.load(ATTEMPT, body.read_json(request, here.config.body_limit))
        if wanted["instance"] not in (None, here.instance):
            raise refusals.InstanceMismatch(instance=here.instance)
        job = here.runner.submit(task_id, Attempt.from_wire(wanted, _context()), fence=wanted["fence"])
        wait = wait_of(request, wire.PUT_WAIT)
        if wait:
            waiting.for_end(job, wait)
        return job_answer(job, 0, wait)

    def get(self, task_id: str) -> Response:
        """Show a task.

        ---
        summary: Show a task, and its log from an offset
        description: >-
          With `Prefer: wait=N` (at most 50) the answer waits until the task has ended, 64 KiB of new log are there, new
          log is a second old, or N seconds have passed. An answer brings at most 64 KiB of log.
        "parameters":
          - {in: path, name: task_id, required: true, schema: {type: string},
             example: 00112233445566778899aabbccddeeff.0.1}
          - {in: query, name: log_from, description: "offset in bytes; without it no log is sent",
             schema: {type: integer, minimum: 0}, example: 0}
          - {in: header, name: Prefer, schema: {type: string}, example: wait=10}
        responses:
          200: {description: it has ended, content: {application/json: {schema: Job}}}
          202: {description: it waits or runs, content: {application/json: {schema: Job}}}
          403: {description: no client certificate, content: &problem {application/problem+json: {schema: Problem}}}
          404: {description: there is no such task, content: *problem}
          410: {description: it ended long ago and was dropped, content: *problem}
          422: {description: not an id or not a number, content: *problem}
          503: {description: the executor is about to stop, content: *problem}

        """
        here = service()
        job = here.runner.find(checked(task_id))
        if job is None:
            raise refusals.JobUnknown
        log_from = number(request, "log_from")
        wait = wait_of(request, wire.GET_WAIT)
        if wait and log_from is None:
            waiting.for_change(job, wait)
        elif wait:
            waiting.for_news(job, here.growth, log_from or 0, wait)
        if here.runner.draining and not job.result:
            raise refusals.Draining  # another executor may know more already
        return job_answer(job, log_from, wait)

    def delete(self, task_id: str) -> Response:
        """Kill a task.

        ---
        summary: Kill a task and everything it started
        description: >-
          Answers when death is proven, or with the survivors that cannot be killed. With `Prefer: wait=N` it answers
          after N seconds all the same, at most 50, without survivors if it is not known yet whether there will be any;
          without the header that is after the time that a kill takes (`kill_grace` and 12 s, at most 50). Ask again
          then: the kill goes on. A task that has ended stays as it is. An id that is not known is remembered as
          canceled: a PUT that comes late does not start it.
        "parameters":
          - {in: path, name: task_id, required: true, schema: {type: string},
             example: 00112233445566778899aabbccddeeff.0.1}
          - {in: query, name: fence, description: number of the run's owner, schema: {type: integer, minimum: 0}}
          - {in: header, name: Prefer, schema: {type: string}, example: wait=10}
        responses:
          200: {description: it is dead or has ended before, content: {application/json: {schema: Job}}}
          202: {description: "survivors cannot be killed; without any it is not dead yet",
             content: {application/json: {schema: Job}}}
          403: {description: no client certificate, content: &problem {application/problem+json: {schema: Problem}}}
          409: {description: a higher fence was seen, content: *problem}
          410: {description: it ended long ago and was dropped, content: *problem}
          422: {description: not an id or not a number, content: *problem}
          503: {description: the executor is about to stop, content: *problem}

        """
        here = service()
        job = here.runner.cancel(checked(task_id), number(request, "fence"))
        wait = preferred_wait(request, wire.KILL_WAIT)
        usual = min(here.config.kill_grace + PATIENCE + MARGIN, wire.KILL_WAIT)
        waiting.for_death(job, usual if wait is None else wait)
        return job_answer(job, None, wait or 0)


@api.post("/tasks")
def create() -> Response:
    """Start a node; the executor picks the id.

    ---
    post:
      summary: Start a node; the executor picks the id
      description: For people and scripts. Nobody acknowledges such a task; its record is kept for `keep_done` hours.
      requestBody:
        required: true
        content:
          application/json:
            schema: Node
            example: {name: greet, engine: shell, artifact: echo, args: [hello], output: null}
      responses:
        202:
          description: accepted
          headers: {Location: {description: where to look, schema: {type: string}}}
          content: {application/json: {schema: Created}}
        400: {description: the body is not JSON, content: &problem {application/problem+json: {schema: Problem}}}
        403: {description: no client certificate, content: *problem}
        408: {description: the body comes too slowly, content: *problem}
        413: {description: the body is too large, content: *problem}
        415: {description: the body is not said to be JSON, content: *problem}
        422: {description: "the document has faults, or the engine is unknown or cannot honour a field",
          content: *problem}
        503: {description: no place is free or it is about to stop; see Retry-After, content: *problem}
    """
    here = service()
    wanted = body.load(NODE, body.read_json(request, here.config.body_limit))
    task_id = f"{uuid.uuid4().hex}.0.1"
    here.runner.submit(task_id, Attempt.from_wire(wanted, _context()), private=True)
    return document({"id": task_id}, 202, {"Location": url_for("executor.task", task_id=task_id)})


def _context() -> str | None:
    """Return the trace context that a request brings."""
    return traceparent.valid(request.headers.get(traceparent.HEADER))


@api.get("/ping")
def ping() -> Response:
    """Say that the executor works, and what it can do.

    ---
    get:
      summary: Say that it works, and what it can do
      responses:
        200: {description: it works, content: {application/json: {schema: Executor}}}
        403: {description: no client certificate, content: {application/problem+json: {schema: Problem}}}
    """
    here = service()
    runner = here.runner
    about = {
        "status": "success",
        "name": here.config.name,
        "version": __version__,
        "instance": here.instance,
        "engines": engines.describe(runner.engines),
        "capacity": runner.limits.capacity,
        "queue": runner.limits.queue,
        "load": len(runner.running),
        "queued": len(runner.waiting),
        "draining": runner.closing or runner.draining,
    }
    return document(about)


task = Task.as_view("task")
api.add_url_rule("/tasks/<task_id>", view_func=task)
VIEWS = (create, task, ping)
