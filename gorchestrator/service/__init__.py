"""The use cases, a class for each kind. No Flask, no SQL, no HTTP.

Everything that is shown is read from the store, so each worker process answers for the runs of all.
"""

from dataclasses import dataclass

from gorchestrator.service.access import Access
from gorchestrator.service.audit import Audit
from gorchestrator.service.events import Events
from gorchestrator.service.executors import Executors
from gorchestrator.service.layouts import Layouts
from gorchestrator.service.logs import Logs
from gorchestrator.service.monitoring import Monitoring
from gorchestrator.service.reruns import Reruns
from gorchestrator.service.retention import Retention
from gorchestrator.service.streams import Streams
from gorchestrator.service.submissions import Submissions
from gorchestrator.service.tasks import Tasks
from gorchestrator.service.validations import Validations
from gorchestrator.service.why import Explanations

__all__ = [
    "Access",
    "Audit",
    "Events",
    "Executors",
    "Explanations",
    "Layouts",
    "Logs",
    "Monitoring",
    "Reruns",
    "Retention",
    "Service",
    "Streams",
    "Submissions",
    "Tasks",
    "Validations",
]


@dataclass(frozen=True, slots=True)
class Service:
    """What the API offers, as plain calls."""

    submissions: Submissions
    validations: Validations
    reruns: Reruns
    tasks: Tasks
    logs: Logs
    explanations: Explanations
    layouts: Layouts
    events: Events
    executors: Executors
    monitoring: Monitoring
    access: Access
    audit: Audit
    streams: Streams
