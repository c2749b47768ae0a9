"""Traces of tasks for OpenTelemetry: one trace a task, one span for it, each of its nodes and each of their attempts.

Spans are made out of the journal when a task has ended, and not while it runs: so they are the same, and each is there
once, whichever processes have run it. Imported only where traces are wanted, for it needs the extra ``otel``.
"""

from gorchestrator.tracing.exporter import Exporter
from gorchestrator.tracing.receiver import Receiver

__all__ = ["Exporter", "Receiver"]
