"""``create_app``: the application around the parts, with all that looks at a request before a route does."""

import atexit
import logging

from flask import Flask
from gevent import monkey

from gorchestrator import __version__
from gorchestrator.api import SCHEMAS, VIEWS, context, errors, guard, monitoring
from gorchestrator.api.gorch import GorchSchema, NodeSchema, RetrySchema
from gorchestrator.api.parameters import PARAMETERS
from gorchestrator.api.reruns import RerunSchema
from gorchestrator.api.resolutions import ResolveSchema
from gorchestrator.common import reload, serving
from gorchestrator.common.checks import REQUIRED, is_loopback
from gorchestrator.common.http import access_log, apidocs, cors, headers, hosts, peers, problems, proxies
from gorchestrator.common.http.monitoring import count_requests
from gorchestrator.common.hub import be_quick
from gorchestrator.common.metrics.shared import REQUESTS
from gorchestrator.common.settings import SettingsError
from gorchestrator.common.sinks.settings import LOGS
from gorchestrator.common.sinks.setup import set_up_logs
from gorchestrator.common.stopping import when_told_to_stop
from gorchestrator.common.tls import log_refused_handshakes
from gorchestrator.config import Config
from gorchestrator.domain.errors import StoreError
from gorchestrator.parts import LIMITS, Parts
from gorchestrator.web import pages

log = logging.getLogger(__name__)


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
    changes = _guard(app, config)
    _follow(changes, app, parts)
    log_refused_handshakes()
    parts.start()
    be_quick(lambda: parts.scheduler.open_runs > 0)
    when_told_to_stop(parts.release)
    atexit.register(parts.stop)
    if settings is not None:
        settings.report(parts.service.audit.settings)
        settings.follow(changes)
        settings.watch()
    log.info("ready", extra={"event": "ready", "version": __version__})
    _tell_access(config, required=parts.service.access.required)
    return app


def _tell_access(config: Config, *, required: bool) -> None:
    """Say who may call the service, if that is not what somebody who faces a network wants."""
    if not required:
        who = "everybody" if config.insecure else "everybody on this machine"
        through = ", through the proxies whoever reaches those too" if config.trusted_proxies else ""
        level = logging.WARNING if through else logging.INFO
        told = "%s may do everything here%s: nobody has to show a token (gorch token create)"
        log.log(level, told, who, through, extra={"event": "open_to_all"})
    elif not (config.certfile or is_loopback(config.bind)):
        extra = {"event": "tokens_in_clear"}
        log.warning("tokens go over the network as they are: serve HTTPS (certfile, keyfile)", extra=extra)


def _guard(app: Flask, config: Config) -> reload.Changes[Config]:
    # Innermost: the peers that are checked below are those of the connections, and not whom they name.
    origins = cors.AllowedOrigins(app.wsgi_app, config.cors_origins)
    behind = proxies.TrustedProxies(origins, config.trusted_proxies)
    guarded = hosts.AllowedHosts(behind, _names(config), "allowed_hosts (GORCH_ALLOWED_HOSTS)")
    # gunicorn may have been started by hand, on an address that the settings know nothing of.
    known = config.insecure or config.access == REQUIRED
    remedy = 'Have everybody show a token: access = "required" (GORCH_ACCESS=required)'
    inner = guarded if known else peers.OwnMachine(guarded, remedy)
    app.wsgi_app = access_log.AccessLog(headers.SecurityHeaders(inner))  # type: ignore[method-assign]
    changes: reload.Changes[Config] = reload.Changes()
    changes.on("allowed_hosts", act=lambda new: guarded.allow(_names(new)))
    changes.on("trusted_proxies", act=lambda new: behind.trust(new.trusted_proxies))
    changes.on("cors_origins", act=lambda new: origins.allow(new.cors_origins))
    return changes


def _names(config: Config) -> tuple[str, ...]:
    return (*config.allowed_hosts, config.bind)


def _follow(changes: reload.Changes[Config], app: Flask, parts: Parts) -> None:
    """Have each part take new settings into use; every one that is declared ``live`` is here or in :func:`_guard`."""

    def limit(new: Config) -> None:
        context.limit(app, body_limit=new.body_limit, max_nodes=new.max_nodes)
        parts.limit(new)

    changes.on(*LOGS, act=set_up_logs)
    changes.on(*LIMITS, act=limit)
    changes.on("executors", act=lambda new: parts.use(new.executors))


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
        strict=True,
    )
