"""gunicorn's configuration of the executor: ``gunicorn -c python:executor.gunicorn_conf …``.

Address and certificates come from the settings (``GORCH_EXECUTOR_*``); gunicorn's own options override them, but
there is always one worker: it owns the jobs.
"""

import gc

from gorchestrator.common.patching import patch_all

gc.disable()  # until all is imported, which stays: to look for garbage among it is a tenth of the start
patch_all()

import os  # noqa: E402  (after patching)
import signal  # noqa: E402
import ssl  # noqa: E402  (after patching)
import sys  # noqa: E402
from types import FrameType  # noqa: E402

from executor import app as _imported  # noqa: E402, F401  (once, and not by each worker)
from executor import finishing  # noqa: E402
from executor.config import Config, exposed  # noqa: E402
from gorchestrator.common import openfiles, serving  # noqa: E402
from gorchestrator.common.reload import is_asked_by_signal, prepare, take_signals  # noqa: E402
from gorchestrator.common.sinks.setup import lowest_level, set_up_logs  # noqa: E402

_by_signal = is_asked_by_signal()
_settings = serving.or_exit(lambda: prepare(Config.load, by_signal=_by_signal))
_config = _settings.settings
_told: list[int] = []  # the SIGTERMs so far
set_up_logs(_config)

bind = f"[{_config.bind.strip('[]')}]:{_config.port}" if ":" in _config.bind else f"{_config.bind}:{_config.port}"
workers = 1
worker_class = "gorchestrator.common.gunicorn_worker.Worker"
certfile = str(_config.tls_cert)
keyfile = str(_config.tls_key)
ca_certs = str(_config.tls_ca)
cert_reqs = int(ssl.CERT_OPTIONAL if _config.insecure else ssl.CERT_REQUIRED)
worker_connections = serving.CONNECTIONS
keepalive = serving.KEEPALIVE
graceful_timeout = serving.GRACEFUL_TIMEOUT
timeout = serving.TIMEOUT
backlog = serving.BACKLOG
loglevel = lowest_level(_config)
logger_class = "gorchestrator.common.gunicorn_log.GunicornLog"
control_socket_disable = True  # it would be one file in the home directory for all services of a user


def on_starting(server: serving.Arbiter) -> None:
    """Refuse what the service cannot honour."""
    openfiles.allow(2 * serving.CONNECTIONS)
    serving.refuse_preload(server)
    serving.refuse_hosts(server, lambda host: exposed(_config, host))
    if server.cfg.workers != 1:
        sys.stderr.write("Error: an executor has one worker, which owns its jobs; leave out --workers\n")
        sys.exit(2)


def when_ready(server: serving.Arbiter) -> None:
    """Take signals. With ``drain = "finish"``, keep the first SIGTERM from gunicorn: see ``executor.finishing``."""
    serving.refuse_hosts(server, lambda host: exposed(_config, host))
    serving.share_what_is_imported()
    end = signal.getsignal(signal.SIGTERM)

    def on_term(number: int, frame: FrameType | None) -> None:
        if _told and callable(end):
            end(number, frame)
        _told.append(number)
        if len(_told) == 1:
            for pid in list(server.WORKERS):
                os.kill(pid, finishing.SIGNAL)

    if _config.drain == "finish":
        signal.signal(signal.SIGTERM, on_term)
    if _by_signal:
        take_signals(server, _settings, set_up_logs)


def post_worker_init(worker: object) -> None:
    """Tell a worker that stands in for one that died while it was finishing."""
    if _told:
        os.kill(os.getpid(), finishing.SIGNAL)


def post_fork(server: serving.Arbiter, worker: object) -> None:
    """Prepare a new worker."""
    serving.keep_listeners(server)
