"""``create_app``: the only place where the parts of the orchestrator are put together."""

import atexit
import logging
from contextlib import suppress

from flask import Flask
from gevent import monkey

from gorchestrator import __version__
from gorchestrator.api import SCHEMAS, VIEWS, context, errors, guard, monitoring
from gorchestrator.api.gorch import GorchSchema, NodeSchema, RetrySchema
from gorchestrator.api.parameters import PARAMETERS
from gorchestrator.api.reruns import RerunSchema
from gorchestrator.api.resolutions import ResolveSchema
from gorchestrator.client.api import Certificates
from gorchestrator.client.fleet import Fleet
from gorchestrator.client.reconcile import Reconciler
from gorchestrator.common import reload, serving
from gorchestrator.common.checks import REQUIRED, is_loopback
from gorchestrator.common.http import access_log, apidocs, hosts, peers, problems, proxies
from gorchestrator.common.http.monitoring import count_requests
from gorchestrator.common.hub import be_quick
from gorchestrator.common.metrics.shared import REQUESTS
from gorchestrator.common.settings import SettingsError
from gorchestrator.common.sinks.setup import set_up_logs
from gorchestrator.common.stopping import end_all, when_told_to_stop
from gorchestrator.common.tls import log_refused_handshakes
from gorchestrator.config import Config
from gorchestrator.domain.errors import StoreError
from gorchestrator.domain.measures import Measures
from gorchestrator.domain.retention import Limits
from gorchestrator.engine.ownership import Ownership
from gorchestrator.engine.scheduler import Scheduler
from gorchestrator.service import (
    Access,
    Events,
    Executors,
    Explanations,
    Layouts,
    Logs,
    Monitoring,
    Reruns,
    Retention,
    Service,
    Submissions,
    Tasks,
    Validations,
)
from gorchestrator.service.recovery import load_stored
from gorchestrator.store import Store
from gorchestrator.web import headers, pages
from gorchestrator.web.layout.drawer import Drawer

LIMITS = (  # that can change
    "body_limit",
    "max_nodes",
    "open_runs",
    "lost_after",
    "log_limit",
    "keep_age",
    "keep_count",
    "keep_bytes",
)

log = logging.getLogger(__name__)


class Parts:
    """What lives as long as the process: the store, the executors, the runs."""

    def __init__(self, config: Config) -> None:
        measures = Measures(config.metrics)
        self.store = Store.open(config.database, damaged=end_all, measures=measures)
        certificates = Certificates(config.tls_ca, config.tls_cert, config.tls_key)
        self.fleet = Fleet(config.executors, certificates, lost_after=config.lost_after, log_limit=config.log_limit)
        self.reconciler = Reconciler(self.fleet, self.store.reader.final_attempts)
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
        self.retention = Retention(self.store, Limits(config.keep_age, config.keep_count, config.keep_bytes))
        self.drawer = Drawer()
        tasks = Tasks(self.store)
        logs = Logs(self.store, tasks)
        submissions = Submissions(
            store=self.store,
            scheduler=self.scheduler,
            ownership=ownership,
            fleet=self.fleet,
            open_runs=config.open_runs,
            accepted=measures.tasks_accepted.inc,
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
            access=Access(config.access, self.store.reader.tokens),
        )

    def limit(self, config: Config) -> None:
        """Take other limits from now on."""
        self.service.submissions.open_runs = self.service.monitoring.limit = config.open_runs
        self.fleet.limit(lost_after=config.lost_after, log_limit=config.log_limit)
        self.retention.use(Limits(config.keep_age, config.keep_count, config.keep_bytes))

    def start(self) -> None:
        """Begin to run what is open."""
        self.store.tailer.listen(self.scheduler.follow)
        self.fleet.start()
        self.reconciler.start()
        self.scheduler.start()
        self.service.monitoring.start()
        self.retention.start()

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
        self.store.close()
        self.service.monitoring.stop()


def create_app(config: Config | None = None) -> Flask:
    """Return the application; without ``config`` it is read from the environment, and faults end the process."""
    if not monkey.is_module_patched("socket"):
        raise RuntimeError(
            "The orchestrator needs gevent workers: start gunicorn with `-k gevent`, or use `gorch serve`."
        )
    if config is not None:
        return _build(config)
    try:
        settings = reload.inherited(Config.load)
        config = settings.begin()
        set_up_logs(config)
        return _build(config, settings)
    except (SettingsError, StoreError) as error:
        serving.cannot_start(error)


def _build(config: Config, settings: reload.Reloading[Config] | None = None) -> Flask:
    parts = Parts(config)
    app = Flask(__name__, static_folder=None)  # the pages bring their own
    app.json.compact = True  # type: ignore[attr-defined]  # Flask's provider has it
    problems.install(app)
    errors.install(app)
    context.install(app, parts.service, body_limit=config.body_limit, max_nodes=config.max_nodes)
    app.register_blueprint(monitoring.blueprint)
    guard.install(app)
    count_requests(app, parts.service.monitoring.measures.meter.counter(REQUESTS))
    _install_docs(app)
    pages.install(app)
    headers.install(app)
    changes = _guard(app, config)
    _follow(changes, app, parts)
    log_refused_handshakes()
    parts.start()
    be_quick(lambda: parts.scheduler.open_runs > 0)
    when_told_to_stop(parts.release)
    atexit.register(parts.stop)
    if settings is not None:
        settings.follow(changes)
        settings.watch()
    log.info("ready", extra={"event": "ready", "version": __version__})
    _tell_access(config, required=parts.service.access.required)
    return app


def _tell_access(config: Config, *, required: bool) -> None:
    """Say who may call the service, if that is not what somebody who faces a network wants."""
    if not required:
        who = "everybody" if config.insecure else "everybody on this machine"
        extra = {"event": "open_to_all"}
        log.info("%s may do everything here: nobody has to show a token (gorch token create)", who, extra=extra)
    elif not (config.certfile or is_loopback(config.bind)):
        extra = {"event": "tokens_in_clear"}
        log.warning("tokens go over the network as they are: serve HTTPS (certfile, keyfile)", extra=extra)


def _guard(app: Flask, config: Config) -> reload.Changes[Config]:
    # Innermost: the peers that are checked below are those of the connections, and not whom they name.
    behind = proxies.TrustedProxies(app.wsgi_app, config.trusted_proxies)
    guarded = hosts.AllowedHosts(behind, _names(config), "allowed_hosts (GORCH_ALLOWED_HOSTS)")
    # gunicorn may have been started by hand, on an address that the settings know nothing of.
    known = config.insecure or config.access == REQUIRED
    inner = guarded if known else peers.OwnMachine(guarded, 'access = "required" (GORCH_ACCESS=required)')
    app.wsgi_app = access_log.AccessLog(inner)  # type: ignore[method-assign]
    changes: reload.Changes[Config] = reload.Changes()
    changes.on("allowed_hosts", act=lambda new: guarded.allow(_names(new)))
    changes.on("trusted_proxies", act=lambda new: behind.trust(new.trusted_proxies))
    return changes


def _names(config: Config) -> tuple[str, ...]:
    return (*config.allowed_hosts, config.bind)


def _follow(changes: reload.Changes[Config], app: Flask, parts: Parts) -> None:
    """Have each part take new settings into use; every one that is declared ``live`` is here or in :func:`_guard`."""

    def limit(new: Config) -> None:
        context.limit(app, body_limit=new.body_limit, max_nodes=new.max_nodes)
        parts.limit(new)

    changes.on(*reload.LOGS, act=set_up_logs)
    changes.on(*LIMITS, act=limit)


def _install_docs(app: Flask) -> None:
    apidocs.install(
        app,
        title="gorchestrator",
        description="Orchestrator as a Service: submit a graph of nodes, watch it, cancel it.",
        version=__version__,
        schemas={
            "Fault": problems.FaultSchema,
            "Problem": problems.ProblemSchema,
            "Retry": RetrySchema,
            "Node": NodeSchema,
            "Gorch": GorchSchema,
            "Resolve": ResolveSchema,
            "Rerun": RerunSchema,
            **SCHEMAS,
        },
        views=VIEWS,
        parameters=PARAMETERS,
        schemes={"token": {"type": "http", "scheme": "bearer", "description": "docs/access.rst"}},
    )
