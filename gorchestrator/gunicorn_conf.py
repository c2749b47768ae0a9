"""gunicorn's configuration of the orchestrator: ``gunicorn -c python:gorchestrator.gunicorn_conf …``.

Address, workers and certificates come from the settings (``GORCH_*``); gunicorn's own options override them.
"""

import gc
from collections.abc import Callable

from gorchestrator.common.patching import patch_all

gc.disable()  # until all is imported, which stays: to look for garbage among it is a tenth of the start
patch_all()

import ssl  # noqa: E402  (after patching)

from gorchestrator import app as _imported  # noqa: E402, F401  (once, and not by each worker)
from gorchestrator.common import openfiles, serving  # noqa: E402  (after patching)
from gorchestrator.common.reload import is_asked_by_signal, prepare, take_signals  # noqa: E402
from gorchestrator.common.sinks.setup import lowest_level, set_up_logs  # noqa: E402
from gorchestrator.config import Config, exposed  # noqa: E402
from gorchestrator.domain.audit import Act  # noqa: E402
from gorchestrator.domain.errors import StoreError  # noqa: E402
from gorchestrator.service.audit import digests, settings_read, settings_started  # noqa: E402
from gorchestrator.store import remembered, schema  # noqa: E402
from gorchestrator.store.usage import Usage  # noqa: E402

_by_signal = is_asked_by_signal()
_settings = serving.or_exit(lambda: prepare(Config.load, by_signal=_by_signal))
_config = _settings.settings
set_up_logs(_config)

bind = f"[{_config.bind.strip('[]')}]:{_config.port}" if ":" in _config.bind else f"{_config.bind}:{_config.port}"
workers = _config.workers
worker_class = "gorchestrator.common.gunicorn_worker.Worker"
certfile = str(_config.certfile) if _config.certfile else None
keyfile = str(_config.keyfile) if _config.keyfile else None
ca_certs = str(_config.client_ca) if _config.client_ca else None
cert_reqs = int(ssl.CERT_OPTIONAL if _config.client_ca else ssl.CERT_NONE)  # who has none may show a token
worker_connections = serving.CONNECTIONS
keepalive = serving.KEEPALIVE
graceful_timeout = serving.GRACEFUL_TIMEOUT
timeout = serving.TIMEOUT
backlog = serving.BACKLOG
loglevel = lowest_level(_config)
logger_class = "gorchestrator.common.gunicorn_log.GunicornLog"
control_socket_disable = True  # it would be one file in the home directory for all services of a user


def _note(act: Callable[[list[str]], Act | None]) -> None:
    """Write the line of the audit that ``act`` makes of the settings that have changed since the service ran last."""
    remembered.note(_config.database, _config.audit_key, digests(_settings.settings), act)


def on_starting(server: serving.Arbiter) -> None:
    """Refuse what the service cannot honour, and a database that no worker could use: once, and not once each."""
    openfiles.allow(2 * serving.CONNECTIONS)
    serving.halt_once(server)
    serving.refuse_preload(server)
    serving.refuse_hosts(server, lambda host: exposed(_config, host))
    try:
        Usage(_config.database).end()
        schema.ensure(_config.database)
        _note(lambda changed: settings_started(_settings.file, changed))
    except StoreError as error:
        serving.cannot_start(error)


def when_ready(server: serving.Arbiter) -> None:
    """Refuse sockets that were handed over, and take signals; no worker has been started yet."""
    serving.share_what_is_imported()
    serving.refuse_hosts(server, lambda host: exposed(_config, host))
    if _by_signal:
        _settings.report(lambda judged: _note(lambda _: settings_read(judged)))
        take_signals(server, _settings, set_up_logs)


def post_fork(server: serving.Arbiter, worker: object) -> None:
    """Prepare a new worker."""
    serving.keep_listeners(server)
