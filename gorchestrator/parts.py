"""What lives as long as a process of the orchestrator: the store, the executors, the runs, and how they are joined."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from gorchestrator.client.api import Certificates, without_context
from gorchestrator.client.fleet import Fleet
from gorchestrator.client.reconcile import Reconciler
from gorchestrator.common import endpoints
from gorchestrator.common.endpoints import Endpoint, Endpoints
from gorchestrator.common.stopping import end_all
from gorchestrator.config import Config
from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.retention import Limits
from gorchestrator.engine.ownership import Ownership
from gorchestrator.engine.scheduler import Scheduler
from gorchestrator.service import (
    Access,
    Audit,
    Events,
    Executors,
    Explanations,
    Layouts,
    Logs,
    Monitoring,
    Reruns,
    Retention,
    Service,
    Streams,
    Submissions,
    Tasks,
    Validations,
)
from gorchestrator.service.recovery import load_stored
from gorchestrator.service.submissions import Intake
from gorchestrator.store import Store
from gorchestrator.web.layout.drawer import Drawer

if TYPE_CHECKING:
    from gorchestrator.tracing import Exporter

LIMITS = (  # that can change
    "body_limit",
    "max_nodes",
    "max_edges",
    "open_runs",
    "submit_rate",
    "streams_per_client",
    "lost_after",
    "log_limit",
    "keep_age",
    "keep_count",
    "keep_bytes",
    "keep_audit",
    "client_roles",
)


def _intake(config: Config) -> Intake:
    return Intake(config.open_runs, config.max_edges, config.submit_rate)


class Parts:
    """What lives as long as the process: the store, the executors, the runs."""

    def __init__(self, config: Config) -> None:
        measures = Measures(config.metrics)
        self.store = Store.open(config.database, damaged=end_all, measures=measures, audit_key=config.audit_key)
        self._remember(config.executors)
        self.exporter = self._exporter(config, measures)
        certificates = Certificates(config.tls_ca, config.tls_cert, config.tls_key)
        self.fleet = Fleet(
            config.executors,
            certificates,
            lost_after=config.lost_after,
            log_limit=config.log_limit,
            context=self.exporter.context if self.exporter else without_context,
            recalled=self._recalled,
        )
        self.reconciler = Reconciler(self.fleet, self.store.reader.final_attempts)
        self.fleet.joined = self.reconciler.join
        ownership = Ownership(self.store.journal, self.store.reader, config.lease)
        self.scheduler = Scheduler(
            journal=self.store.journal,
            ownership=ownership,
            executors=self.fleet,
            load=lambda task: load_stored(self.store, task),
            said=self.store.reader.resolutions,
            share=self.fleet.share_with,
            lease=config.lease,
            measures=measures,
        )
        limits = Limits(config.keep_age, config.keep_count, config.keep_bytes)
        self.retention = Retention(self.store, limits, audit=config.keep_audit)
        self.drawer = Drawer()
        tasks = Tasks(self.store)
        logs = Logs(self.store, tasks)
        submissions = Submissions(
            store=self.store,
            scheduler=self.scheduler,
            ownership=ownership,
            fleet=self.fleet,
            intake=_intake(config),
            accepted=measures.tasks_accepted.inc,
            traced=self.exporter.wants if self.exporter else lambda _: False,
        )
        layouts = Layouts(self.store, self.drawer.draw)
        self.service = Service(
            submissions=submissions,
            validations=Validations(submissions, layouts, self.fleet),
            reruns=Reruns(tasks, submissions),
            tasks=tasks,
            logs=logs,
            explanations=Explanations(tasks, logs, self.fleet),
            layouts=layouts,
            events=Events(self.store, tasks),
            executors=Executors(self.fleet),
            monitoring=Monitoring(
                measures=measures,
                store=self.store,
                fleet=self.fleet,
                prove=self.scheduler.prove,
                runs=lambda: self.scheduler.open_runs,
                limit=config.open_runs,
            ),
            audit=Audit(self.store),
            streams=Streams(config.streams_per_client),
            access=Access(config.access, self.store.reader.tokens, config.client_roles),
        )

    def limit(self, config: Config) -> None:
        """Take other limits from now on."""
        self.service.submissions.intake = _intake(config)
        self.service.monitoring.limit = config.open_runs
        self.service.streams.most = config.streams_per_client
        self.fleet.limit(lost_after=config.lost_after, log_limit=config.log_limit)
        self.retention.use(Limits(config.keep_age, config.keep_count, config.keep_bytes), config.keep_audit)
        self.service.access.use(config.client_roles)

    def use(self, executors: Endpoints) -> None:
        """Have these executors from now on: see :meth:`Fleet.replace`. Where they are is remembered in the store."""
        self._remember(executors)
        self.fleet.replace(executors)

    def _remember(self, executors: Endpoints) -> None:
        texts = {name: json.dumps(endpoint.plain()) for name, endpoint in executors.items()}
        self.store.journal.remember_executors(texts)

    def _recalled(self, name: str) -> Endpoint | None:
        text = self.store.reader.executor(name)
        return None if text is None else endpoints.of_file({name: json.loads(text)}, Path("/"))[name]

    def _exporter(self, config: Config, measures: Measures) -> "Exporter | None":
        if not config.otlp_endpoint:
            return None
        from gorchestrator import tracing  # noqa: PLC0415  (an extra, and nobody else shall pay for it)

        receiver = tracing.Receiver(config.otlp_endpoint, config.otlp_headers, config.otlp_ca)
        return tracing.Exporter(self.store, receiver, measures, config.otlp_ratio)

    def start(self) -> None:
        """Begin to run what is open."""
        self.store.tailer.listen(self.scheduler.follow, lambda: self.scheduler.open_runs > 0)
        self.fleet.start()
        self.reconciler.start()
        self.scheduler.start()
        self.service.monitoring.start()
        self.retention.start()
        if self.exporter:
            self.exporter.start()

    def release(self) -> None:
        """Give up all runs and end all waiting, at once: others go on with them, and what runs on executors goes on."""
        self.service.monitoring.draining = True
        self.retention.stop()
        self.store.end_waiting()
        with suppress(StoreError):  # then it is the lease that tells the others
            self.scheduler.stop()

    def stop(self) -> None:
        """Give everything else back too, when no request is open any more."""
        self.release()
        self.reconciler.stop()
        self.fleet.stop()
        self.drawer.stop()
        if self.exporter:
            self.exporter.stop()
        self.store.close()
        self.service.monitoring.stop()
