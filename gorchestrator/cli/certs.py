"""``gorch certs``: certificates for mutual TLS."""

import json
from pathlib import Path

import click

from gorchestrator.cli.failure import Failure


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", "hosts", multiple=True, help="A further name or address of the services; may be repeated.")
@click.option("--force", is_flag=True, help="Overwrite certificates that are there.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
def certs(folder: Path, hosts: tuple[str, ...], force: bool, as_json: bool) -> None:
    """Make a CA and the certificates of orchestrator and executor in DIR.

    They hold for localhost and this machine's name. Files: ca, orchestrator and executor, .pem and .key each.
    """
    from gorchestrator import certificates  # noqa: PLC0415  (cryptography takes its time)

    try:
        written = certificates.write(folder, hosts, force=force)
    except certificates.CertificatesExist as error:
        raise Failure(f"{error}, and nothing was written; --force makes new ones in place of all") from error
    except OSError as error:
        raise Failure(f"cannot write to {folder}: {error.strerror}") from error
    except ValueError as error:
        raise Failure(f"{error}; give --host one, without a port") from error
    if as_json:
        click.echo(json.dumps({"files": [str(path) for path in written]}))
        return
    for path in written:
        click.echo(str(path))
    click.echo("Keep ca.key away from the services: whoever has it can make certificates that they trust.", err=True)
