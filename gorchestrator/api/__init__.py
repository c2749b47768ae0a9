"""The REST API of the orchestrator: routes, marshmallow schemas, problems. Knows schemas and the service."""

from gorchestrator.api import (
    about,
    answers,
    attempts,
    events,
    explanations,
    listing,
    logs,
    reruns,
    resolutions,
    submissions,
    tasks,
)

VIEWS = (
    submissions.submit,
    listing.list_tasks,
    tasks.show,
    tasks.cancel,
    events.task_events,
    explanations.why,
    logs.log,
    attempts.list_attempts,
    resolutions.resolve,
    reruns.rerun,
    submissions.validate,
    events.all_events,
    about.ping,
)
SCHEMAS = {
    "Created": answers.CreatedSchema,
    "Summary": answers.SummarySchema,
    "List": answers.ListSchema,
    "NodeState": answers.NodeStateSchema,
    "Task": answers.TaskSchema,
    "Attempt": answers.AttemptSchema,
    "Attempts": answers.AttemptsSchema,
    "Resolution": answers.ResolutionSchema,
    "NamedNode": reruns.NamedNodeSchema,
    "RerunView": reruns.RerunViewSchema,
    "Why": explanations.WhySchema,
    "Valid": answers.ValidSchema,
    "ExecutorView": answers.ExecutorViewSchema,
    "Ping": answers.PingSchema,
}
