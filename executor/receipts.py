"""The routes of receipts: results that are stored elsewhere need not be kept here.

A short node costs one call besides; so receipts come many in a call, and what a crash has swallowed is asked for.
"""

import heapq
import logging

from flask import Blueprint, Response, request

from executor import refusals
from executor.web import checked, document, refused, service
from gorchestrator.common import wire
from gorchestrator.common.http import body
from gorchestrator.common.http.parameters import number
from gorchestrator.common.http.problems import BadQuery
from gorchestrator.common.hub import breathe

log = logging.getLogger(__name__)

receipts = Blueprint("receipts", __name__, url_prefix="/v1")
receipts.register_error_handler(refusals.Refused, refused)

RECEIPTS = wire.ReceiptsSchema()
RECEIPTS_PER_SLICE = 20  # a few ms of renaming


@receipts.post("/tasks/<task_id>/ack")
def acknowledge(task_id: str) -> Response:
    """Say that the result and the log of a task are stored, so that they may be dropped.

    ---
    post:
      summary: Say that result and log are stored
      "parameters":
        - {in: path, name: task_id, required: true, schema: {type: string},
           example: 00112233445566778899aabbccddeeff.0.1}
        - {in: query, name: fence, description: number of the run's owner, schema: {type: integer, minimum: 0}}
      responses:
        204: {description: noted}
        403: {description: no client certificate, content: &problem {application/problem+json: {schema: Problem}}}
        404: {description: there is no such task, content: *problem}
        409: {description: "it has not ended, or a higher fence was seen", content: *problem}
        410: {description: it ended long ago and was dropped, content: *problem}
        422: {description: not an id or not a number, content: *problem}
        503: {description: the executor is about to stop, content: *problem}
    """
    service().runner.acknowledge(checked(task_id), number(request, "fence"))
    return Response(status=204)


@receipts.post("/tasks/ack")
def acknowledge_many() -> Response:
    """Say that the results and logs of many tasks are stored: a call for each would double the calls of short ones.

    ---
    post:
      summary: Say that results and logs of many tasks are stored
      requestBody:
        required: true
        content: {application/json: {schema: Receipts}}
      responses:
        200:
          description: noted, but for those that were refused
          content: {application/json: {schema: RefusedReceipts}}
        400: {description: the body is not JSON, content: &problem {application/problem+json: {schema: Problem}}}
        403: {description: no client certificate, content: *problem}
        408: {description: the body comes too slowly, content: *problem}
        413: {description: the body is too large, content: *problem}
        415: {description: the body is not said to be JSON, content: *problem}
        422: {description: the document has faults, content: *problem}
        503: {description: the executor is about to stop, content: *problem}
    """
    here = service()
    wanted = body.load(RECEIPTS, body.read_json(request, here.config.body_limit))
    refused = {}
    for place, task_id in enumerate(wanted["ids"]):
        try:
            here.runner.acknowledge(task_id)
        except (refusals.Draining, refusals.StorageFull):
            raise
        except refusals.Refused as refusal:
            refused[task_id] = refusal.code
        except OSError as error:  # one job must not hold up the receipts of all
            log.error("cannot put a job away: %s", error, extra={"event": "job_not_moved", "reason": str(error)})
            refused[task_id] = "internal"
        if place % RECEIPTS_PER_SLICE == 0:
            breathe()
    return document({"refused": refused})


@receipts.get("/tasks")
def listed() -> Response:
    """List tasks, for those who do not know any more what they have acknowledged or given up.

    ---
    get:
      summary: List what has ended and waits for a receipt, or what has not ended
      description: At most 1000 ids, in the order of their text. Tasks that were started by POST are not among them.
      "parameters":
        - {in: query, name: state, required: true, description: "final: has ended, and waits for a receipt",
           schema: {type: string, enum: [final, open]}, example: final}
        - {in: query, name: after, description: the last id of the answer before, schema: {type: string}}
      responses:
        200: {description: the ids, content: {application/json: {schema: Listed}}}
        403: {description: no client certificate, content: &problem {application/problem+json: {schema: Problem}}}
        422: {description: another state was asked for, content: *problem}
    """
    state = request.args.get("state")
    if state not in {"final", "open"}:
        raise BadQuery("The parameter state must be final or open.")
    after = request.args.get("after", "")
    jobs = (job for job in service().runner.jobs.values() if not job.private and job.id > after)
    found = (job.id for job in jobs if (job.result is None) == (state == "open"))
    return document({"ids": heapq.nsmallest(wire.LIST_LIMIT, found)})


VIEWS = (listed, acknowledge, acknowledge_many)
