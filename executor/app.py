"""Puts the executor together: ``executor.app:create_app()`` is what gunicorn serves, with one gevent worker."""

import logging
import os
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Flask

from executor import api, engines, finishing, health, names, receipts, unread
from executor.archive import Archive
from executor.config import Config
from executor.data import Data, DataInUse
from executor.fences import Fences
from executor.job import Surroundings
from executor.kept import Keep
from executor.measures import Measures
from executor.runner import Limits, Runner
from executor.secrets import Secrets
from executor.supervisor import Supervisor
from executor.watch import Growth
from executor.web import EXTENSION, Service
from gorchestrator import __version__
from gorchestrator.common import serving, tls, wire
from gorchestrator.common.http import apidocs, problems
from gorchestrator.common.http.access_log import AccessLog
from gorchestrator.common.http.headers import SecurityHeaders
from gorchestrator.common.http.hosts import AllowedHosts
from gorchestrator.common.http.monitoring import AliveSchema, WritableSchema, count_requests
from gorchestrator.common.http.peers import OwnMachine
from gorchestrator.common.hub import be_quick
from gorchestrator.common.metrics.pulse import Pulse
from gorchestrator.common.reload import Changes, Reloading, inherited, live
from gorchestrator.common.settings import SettingsError
from gorchestrator.common.sinks.settings import LOGS
from gorchestrator.common.sinks.setup import set_up_logs
from gorchestrator.common.stopping import when_signalled, when_told_to_stop

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

log = logging.getLogger(__name__)

SCHEMAS = {
    "Fault": problems.FaultSchema,
    "Problem": problems.ProblemSchema,
    "Attempt": wire.AttemptSchema,
    "Node": wire.NodeSchema,
    "Job": wire.JobSchema,
    "Created": wire.CreatedSchema,
    "Listed": wire.ListedSchema,
    "Receipts": wire.ReceiptsSchema,
    "RefusedReceipts": wire.RefusedReceiptsSchema,
    "Engine": wire.EngineSchema,
    "Executor": wire.ExecutorSchema,
    "Alive": AliveSchema,
    "Writable": WritableSchema,
    "Ready": health.ReadySchema,
}
DESCRIPTION = (
    "Runs attempts of nodes under supervision. Its client is the orchestrator; every call shows a certificate."
)


def create_app(config: Config | None = None) -> Flask:
    """Return the application; without ``config`` it is read from the environment, and faults end the process."""
    if config is not None:
        return _build(config)
    try:
        settings = inherited(Config.load)
        config = settings.begin()
        set_up_logs(config)
        return _build(config, settings)
    except (SettingsError, DataInUse, OSError, sqlite3.Error) as error:
        serving.cannot_start(error)


def _build(config: Config, settings: Reloading[Config] | None = None) -> Flask:
    data = Data(config.data)
    measures = Measures(config.data / names.METRICS)
    pulse = Pulse(measures.meter, lambda: None)
    service = Service(config, data.instance(), _runner(config), Growth(), measures, pulse)
    service.runner.ended = measures.ended
    app = Flask("executor", static_folder=None)
    app.extensions[EXTENSION] = service
    app.register_blueprint(api.api)
    app.register_blueprint(receipts.receipts)
    app.register_blueprint(health.health)
    count_requests(app, measures.requests)
    problems.install(app)
    apidocs.install(
        app,
        title="gorchestrator executor",
        description=DESCRIPTION,
        version=__version__,
        schemas=SCHEMAS,
        views=(*api.VIEWS, *receipts.VIEWS, *health.VIEWS),
    )
    changes = _changes(app, service)
    app.wsgi_app = AccessLog(SecurityHeaders(_guarded(app, config, changes)))  # type: ignore[method-assign]
    tls.log_refused_handshakes()
    service.runner.recover()
    service.runner.help(unread.keep_forgetting, service.runner, config.keep_unread)
    pulse.start()
    _drain_on_term(service.runner, data)
    when_signalled(finishing.SIGNAL, lambda: finishing.finish(service.runner, config.drain_timeout))
    be_quick(lambda: any(job.result is None for job in service.runner.jobs.values()))
    if settings is not None:
        settings.follow(changes)
        settings.watch()
    extra = {"event": "executor_started", "instance": service.instance, "jobs": len(service.runner.jobs)}
    log.info("executor %s works in %s", config.name, config.data, extra=extra)
    return app


def _changes(app: Flask, service: Service) -> Changes[Config]:
    """Have each part take new settings into use, but for who guards the door."""

    def use(new: Config) -> None:
        runner = service.runner
        runner.use(Limits(new.capacity, new.queue), _around(new, runner.around.supervisor))
        if (keep := _keep(new)) != runner.archive.keep:
            runner.archive.use(keep)
        app.extensions[EXTENSION] = replace(service, config=new)

    changes: Changes[Config] = Changes()
    changes.on(*LOGS, act=set_up_logs)
    ours = live(Config).difference(LOGS)
    changes.on(*ours, act=use)
    for driver in service.runner.engines.values():
        changes.on(*ours, act=driver.use)
    return changes


def _guarded(app: Flask, config: Config, changes: Changes[Config]) -> "WSGIApplication":
    """Return what serves; without certificates it refuses what a web page gets to us under a name of its own."""
    if not config.insecure:
        return app.wsgi_app
    setting = "allowed_hosts (GORCH_EXECUTOR_ALLOWED_HOSTS)"
    guarded = AllowedHosts(app.wsgi_app, (*config.allowed_hosts, config.bind), setting)
    changes.on("allowed_hosts", act=lambda new: guarded.allow((*new.allowed_hosts, new.bind)))
    # gunicorn may have been started by hand, on an address that the settings know nothing of.
    return OwnMachine(guarded, "Leave out insecure (GORCH_EXECUTOR_INSECURE), so that callers show certificates")


def _runner(config: Config) -> Runner:
    keep = _keep(config)
    archive = Archive(config.data, keep.hours, keep.count, keep.size)
    fences = Fences(config.data / names.FENCES)
    return Runner(
        Limits(config.capacity, config.queue),
        archive,
        fences,
        engines.load(config),
        _around(config, Supervisor(config.data)),
    )


def _keep(config: Config) -> Keep:
    return Keep(config.keep_done, config.keep_done_count, config.keep_done_bytes)


def _around(config: Config, supervisor: Supervisor) -> Surroundings:
    return Surroundings(
        supervisor=supervisor,
        env={name: os.environ[name] for name in config.env_allow if name in os.environ},
        artifact_dirs=[os.path.abspath(folder) for folder in config.artifact_dirs],
        grace=config.kill_grace,
        log_limit=config.log_limit,
        secrets=Secrets(config.secrets, {name: os.environ[name] for name in config.secret_env if name in os.environ}),
    )


def _drain_on_term(runner: Runner, data: Data) -> None:
    """When the server is told to stop, take no more work at once, and let the next executor have the directory."""

    def drain() -> None:
        runner.drain()
        data.close()
        log.info("drained; what runs lives on", extra={"event": "executor_drained"})

    when_told_to_stop(drain)
