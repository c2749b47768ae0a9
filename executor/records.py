"""Jobs in their directories: what is written of one, and how it is read again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from executor import names
from executor.attempt import Attempt
from executor.files import size_of
from executor.folder import Folder
from executor.job import Job, Surroundings
from executor.outcome import Outcome


def node(attempt: Attempt, created_at: float, *, private: bool) -> dict[str, Any]:
    """Return the document of what was asked for."""
    return {"attempt": attempt.to_json(), "created_at": created_at, "private": private}


def read(job_id: str, folder: Folder, around: Surroundings) -> Job | None:
    """Return the job of a directory; None: it does not say what was asked for."""
    document = folder.read(names.NODE)
    try:
        job = document and _made(job_id, document, folder, around)
    except (KeyError, TypeError, ValueError):  # the job may have written it
        return None
    if not job:
        return None
    job.result = folder.result()
    if job.result:
        job.ended.set()
    return job


def finish(job: Job, outcome: Outcome) -> OSError | None:
    """Give a job its result, and write it; returns why it cannot be written. Its log ends here, whoever writes on."""
    job.result = outcome = replace(outcome, log_size=size_of(job.folder.log))
    job.folder.shut()
    try:
        try:
            job.folder.write(names.RESULT, outcome.to_json())
        except FileNotFoundError:  # the job has removed its directory
            asked = node(job.attempt, job.created_at, private=job.private)
            # In this order: without its result it might be run again.
            job.folder.restore({names.RESULT: outcome.to_json(), names.NODE: asked})
    except OSError as error:
        return error
    return None


def _made(job_id: str, document: Mapping[str, Any], folder: Folder, around: Surroundings) -> Job:
    job = Job(job_id, Attempt.from_json(document["attempt"]), folder, float(document["created_at"]), around)
    job.private = bool(document["private"])
    return job
