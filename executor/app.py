"""Puts the executor together: ``executor.app:create_app()`` is what gunicorn serves, with one gevent worker."""

import logging
import os
import sqlite3
from typing import TYPE_CHECKING

from flask import Flask

from executor import api, engines, finishing, health, names, receipts
from executor.archive import Archive
from executor.config import Config
from executor.data import Data, DataInUse
from executor.fences import Fences
from executor.job import Surroundings
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
from gorchestrator.common.http.hosts import AllowedHosts
from gorchestrator.common.http.monitoring import AliveSchema, WritableSchema, count_requests
from gorchestrator.common.hub import be_quick
from gorchestrator.common.metrics.pulse import Pulse
from gorchestrator.common.settings import SettingsError
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
        config = Config.load().value
        set_up_logs(config)
        return _build(config)
    except (SettingsError, DataInUse, OSError, sqlite3.Error) as error:
        serving.cannot_start(error)


def _build(config: Config) -> Flask:
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
    app.wsgi_app = AccessLog(_guarded(app, config))  # type: ignore[method-assign]
    tls.log_refused_handshakes()
    service.runner.recover()
    pulse.start()
    _drain_on_term(service.runner, data)
    when_signalled(finishing.SIGNAL, lambda: finishing.finish(service.runner, config.drain_timeout))
    be_quick(lambda: any(job.result is None for job in service.runner.jobs.values()))
    extra = {"event": "executor_started", "instance": service.instance, "jobs": len(service.runner.jobs)}
    log.info("executor %s works in %s", config.name, config.data, extra=extra)
    return app


def _guarded(app: Flask, config: Config) -> "WSGIApplication":
    """Return what serves; without certificates it refuses what a web page gets to us under a name of its own."""
    if not config.insecure:
        return app.wsgi_app
    names = (*config.allowed_hosts, config.bind)
    return AllowedHosts(app.wsgi_app, names, "allowed_hosts (GORCH_EXECUTOR_ALLOWED_HOSTS)")


def _runner(config: Config) -> Runner:
    around = Surroundings(
        supervisor=Supervisor(config.data),
        env={name: os.environ[name] for name in config.env_allow if name in os.environ},
        artifact_dirs=[os.path.abspath(folder) for folder in config.artifact_dirs],
        grace=config.kill_grace,
        log_limit=config.log_limit,
        secrets=Secrets(config.secrets, {name: os.environ[name] for name in config.secret_env if name in os.environ}),
    )
    archive = Archive(config.data, config.keep_done, config.keep_done_count, config.keep_done_bytes)
    fences = Fences(config.data / names.FENCES)
    return Runner(Limits(config.capacity, config.queue), archive, fences, engines.load(config), around)


def _drain_on_term(runner: Runner, data: Data) -> None:
    """When the server is told to stop, take no more work at once, and let the next executor have the directory."""

    def drain() -> None:
        runner.drain()
        data.close()
        log.info("drained; what runs lives on", extra={"event": "executor_drained"})

    when_told_to_stop(drain)
