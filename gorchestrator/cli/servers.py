"""``gorch serve`` and ``gorch executor``: become the service. Options win over the environment and the file."""

import os
import sys
from pathlib import Path

import click

from gorchestrator.cli.config import load
from gorchestrator.cli.failure import Failure
from gorchestrator.common import serving
from gorchestrator.common.checks import ACCESS
from gorchestrator.common.settings import pinned
from gorchestrator.config import FILE_VARIABLE, PREFIX, Config

_FILE = click.Path(dir_okay=False, resolve_path=True)
_FOLDER = click.Path(file_okay=False, resolve_path=True)


@click.command()
@click.option("--bind", metavar="HOST", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (8080); 0 picks a free one.")
@click.option("--data", type=_FOLDER, help="Directory of the journal.")
@click.option("--workers", type=int, help="Worker processes (2).")
@click.option("--certfile", type=_FILE, help="Certificate, to serve HTTPS.")
@click.option("--keyfile", type=_FILE, help="Key of the certificate.")
@click.option("--access", type=click.Choice(ACCESS), help="Who may call it (auto: open until a token is made).")
@click.option("--insecure", is_flag=True, default=None, help="Allow other addresses than loopback without tokens.")
@click.option("--parent", type=int, hidden=True)
@click.option("--fd", type=int, hidden=True)
def serve(parent: int | None, fd: int | None, **options: str | int | bool | None) -> None:
    """Serve the orchestrator (gunicorn, gevent workers). All settings: gorch config."""
    if parent:
        serving.die_with_parent(parent)
    _to_environment(PREFIX, options)
    loaded = load()
    config = loaded.value
    try:
        _check(config)
        serving.make_directory(config.data)
        sock = serving.listen(config.bind, config.port, serving.ORPHANS) if fd is None else serving.adopt(fd)
    except serving.ServingError as error:
        raise Failure(str(error)) from error
    url = serving.url_of(sock, "https" if config.certfile else "http")
    click.echo(f"orchestrator: {url} (API docs: {url}/apidocs/)", err=True)
    settings = pinned(loaded, PREFIX, FILE_VARIABLE)
    app = "gorchestrator.app:create_app()"
    serving.exec_gunicorn("python:gorchestrator.gunicorn_conf", app, sock, config.data, settings)


@click.command()
@click.option("--bind", metavar="HOST", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (8443); 0 picks a free one.")
@click.option("--data", type=_FOLDER, help="Directory of the jobs.")
@click.option("--workers", type=click.IntRange(1, 1), help="Always 1: it owns the jobs.")
@click.option("--name", help="Its name (executor).")
@click.option("--capacity", type=int, help="Most jobs at once (16).")
@click.option("--parent", type=int, hidden=True)
@click.option("--fd", type=int, hidden=True)
def executor(parent: int | None, fd: int | None, workers: int | None, **options: str | int | bool | None) -> None:
    """Serve an executor, over mutual TLS. All settings: gorch config --executor."""
    del workers  # it is there so that both services take the same options
    _to_environment("GORCH_EXECUTOR_", options)
    own = [f"--{name}={value}" for name, value in (("parent", parent), ("fd", fd)) if value is not None]
    command, environment = serving.python("executor", *own)
    sys.stdout.flush()
    os.execve(command[0], command, environment)


def _to_environment(prefix: str, options: dict[str, str | int | bool | None]) -> None:
    for name, value in options.items():
        if value is not None:
            os.environ[prefix + name.upper()] = str(value)


def _check(config: Config) -> None:
    remedy = f"make certificates with `gorch certs {config.certs}`"
    serving.require_files({"tls_ca": config.tls_ca, "tls_cert": config.tls_cert, "tls_key": config.tls_key}, remedy)
    own: dict[str, Path | None] = {"certfile": config.certfile, "keyfile": config.keyfile}
    serving.require_files({name: path for name, path in own.items() if path}, "name a file that is there")
