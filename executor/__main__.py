"""``python -m executor``: start the service. ``gorch executor`` becomes this; all settings are in the environment."""

import argparse
import json
import sqlite3
import sys
from typing import Any

from executor.config import FILE_VARIABLE, PREFIX, Config
from gorchestrator.common import serving
from gorchestrator.common.settings import Loaded, describe, pinned


def main() -> None:
    """Become gunicorn, or print the settings in force."""
    parser = argparse.ArgumentParser(prog="gorch executor", description="The service that runs nodes.")
    parser.add_argument("--settings", action="store_true", help="print the settings in force as JSON, and end")
    parser.add_argument("--engines", action="store_true", help="print as JSON which engines can work here, and end")
    parser.add_argument("--gc", action="store_true", help="drop ended jobs that are not to be kept, and end")
    parser.add_argument("--dry-run", action="store_true", help="with --gc: only tell what would go")
    for limit, of in (("--hours", float), ("--count", int), ("--bytes", int)):
        parser.add_argument(limit, type=of, help="with --gc: in place of the setting")
    parser.add_argument("--parent", type=int, metavar="PID", help="end when this process, the parent, ends")
    parser.add_argument(
        "--fd", type=int, metavar="FD", help="a listening socket of the parent, in place of bind and port"
    )
    options = parser.parse_args()
    loaded = serving.or_exit(Config.load)
    if options.settings:
        sys.stdout.write(json.dumps(describe(loaded)) + "\n")
        return
    if options.engines:
        from executor import engines  # noqa: PLC0415  (with the drivers it takes 0.15 s, which no start has to wait for)

        sys.stdout.write(json.dumps(engines.describe(engines.load(loaded.value))) + "\n")
        return
    if options.gc:
        sys.stdout.write(json.dumps(_collected(loaded.value, options)) + "\n")
        return
    if options.parent:
        serving.die_with_parent(options.parent)
    try:
        serve(loaded, options.fd)
    except serving.ServingError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(2)


def _collected(config: Config, options: argparse.Namespace) -> dict[str, Any]:
    from executor import collecting  # noqa: PLC0415  (no start has to wait for it)
    from executor.kept import Keep  # noqa: PLC0415

    keep = Keep(
        config.keep_done if options.hours is None else options.hours,
        config.keep_done_count if options.count is None else options.count,
        config.keep_done_bytes if options.bytes is None else options.bytes,
    )
    try:
        return (collecting.preview if options.dry_run else collecting.collect)(config.data, keep)
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"Error: the executor's directory {config.data} cannot be used: {error}\n")
        sys.exit(2)


def serve(loaded: Loaded[Config], fd: int | None) -> None:
    """Check what the service needs, and become it."""
    config = loaded.value
    files = {"tls_ca": config.tls_ca, "tls_cert": config.tls_cert, "tls_key": config.tls_key}
    serving.require_files(files, f"make certificates with `gorch certs {config.certs}`")
    serving.make_directory(config.data)
    sock = serving.listen(config.bind, config.port, serving.ORPHANS) if fd is None else serving.adopt(fd)
    sys.stderr.write(f"executor {config.name}: {serving.url_of(sock, 'https')} (callers must show a certificate)\n")
    settings = pinned(loaded, PREFIX, FILE_VARIABLE)
    serving.exec_gunicorn("python:executor.gunicorn_conf", "executor.app:create_app()", sock, config.data, settings)


if __name__ == "__main__":
    main()
