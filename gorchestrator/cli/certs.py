"""``gorch certs``: certificates for mutual TLS."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from gorchestrator.cli.config import load
from gorchestrator.cli.failure import Failure

_FOLDER = click.Path(file_okay=False, path_type=Path)
_days = click.option("--days", type=click.IntRange(1, 36500), help="How long they hold.")
_force = click.option("--force", is_flag=True, help="Overwrite certificates that are there.")
_json = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
_dir = click.option("--dir", "folder", type=_FOLDER, help="Where the certificates are; otherwise the setting `certs`.")


class Certs(click.Group):
    """A group whose first command may be left out: ``gorch certs DIR`` is ``gorch certs init DIR``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``init`` before arguments that name no command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["init", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Certs)
def certs() -> None:
    """Make, renew and show certificates for mutual TLS. gorch certs DIR is gorch certs init DIR."""


@certs.command()
@click.argument("folder", metavar="[DIR]", type=_FOLDER, required=False)
@click.option("--host", "hosts", multiple=True, help="A further name or address of the services; may be repeated.")
@_days
@_force
@_json
def init(folder: Path | None, hosts: tuple[str, ...], days: int | None, force: bool, as_json: bool) -> None:
    """Make a CA and the certificates of orchestrator and executor in DIR.

    They hold for localhost and this machine's name. Files: ca, orchestrator and executor, .pem and .key each.
    """
    from gorchestrator import certificates  # noqa: PLC0415  (cryptography takes its time)

    folder = folder or _configured()
    with _told(folder):
        written = certificates.write(folder, hosts, force=force, days=days or certificates.DAYS)
    _show_written(written, as_json)
    if not as_json:
        click.echo(
            "Keep ca.key away from the services: whoever has it can make certificates that they trust.", err=True
        )


@certs.command()
@click.argument("name")
@click.option("--host", "hosts", multiple=True, help="A name or address it holds for (NAME); may be repeated.")
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["server", "client", "both"]),
    default="server",
    show_default=True,
    help="Who shows it: an executor, a caller of executors, or somebody who is both.",
)
@_dir
@_days
@_force
@_json
def issue(
    name: str,
    hosts: tuple[str, ...],
    purpose: str,
    folder: Path | None,
    days: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Issue one more certificate, NAME.pem and NAME.key, with the CA that is there."""
    from gorchestrator import certificates  # noqa: PLC0415

    folder = folder or _configured()
    with _told(folder):
        written = certificates.add(
            folder,
            name,
            hosts,
            purpose=certificates.Purpose(purpose),
            force=force,
            days=days or certificates.DAYS,
        )
    _show_written(written, as_json)


@certs.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--new-key", is_flag=True, help="Make new keys too.")
@_dir
@_days
@_json
def renew(names: tuple[str, ...], new_key: bool, folder: Path | None, days: int | None, as_json: bool) -> None:
    """Have certificates hold from now on: those named (ca is the CA), else all but the CA.

    Subjects, names and purposes stay, and keys unless --new-key is given. Services that read the files go on with the
    new ones within seconds, without a restart.
    """
    from gorchestrator import certificates  # noqa: PLC0415

    folder = folder or _configured()
    with _told(folder):
        written = certificates.renew(folder, names, fresh=new_key, days=days)
    _show_written(written, as_json)
    if not as_json and new_key and certificates.CA in names:
        click.echo(
            "ca.pem has the old CA too. Bring it to all services, renew their certificates, then: gorch certs retire",
            err=True,
        )


@certs.command()
@_dir
@_json
def retire(folder: Path | None, as_json: bool) -> None:
    """Take CAs out of ca.pem that a renewal with --new-key has left there, when nothing is of them any more."""
    from gorchestrator import certificates  # noqa: PLC0415

    folder = folder or _configured()
    with _told(folder):
        written = certificates.retire(folder)
    _show_written(written, as_json)


@certs.command()
@click.argument("names", metavar="[NAME|FILE]...", nargs=-1)
@_dir
@_json
def show(names: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Show what certificates say, and until when they hold: those named, else all that are there."""
    from gorchestrator import certificates  # noqa: PLC0415

    folder = folder or _configured()
    wanted = names or (certificates.CA, *certificates.names(folder))
    paths = [Path(name) if name.endswith(".pem") else folder / f"{name}.pem" for name in wanted]
    with _told(folder):
        found = [each for path in paths for each in certificates.describe(path)]
    if as_json:
        click.echo(json.dumps({"certificates": [_json_of(asdict(each)) for each in found]}))
        return
    from gorchestrator.cli import certificate_tables  # noqa: PLC0415  (rich takes its time)

    certificate_tables.show_certificates(found, time.time())


def _configured() -> Path:
    return load().value.certs


def _json_of(each: dict[str, Any]) -> dict[str, Any]:
    from gorchestrator.common.timestamps import to_wire  # noqa: PLC0415

    times = {name: to_wire(each[name]) for name in ("not_before", "not_after")}
    return each | times | {"file": str(each["file"]), "expired": each["not_after"] <= time.time()}


def _show_written(written: list[Path], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"files": [str(path) for path in written]}))
        return
    for path in written:
        click.echo(str(path))


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Say what is wrong in a line."""
    from gorchestrator import certificates  # noqa: PLC0415

    try:
        yield
    except certificates.CertificatesExist as error:
        raise Failure(f"{error}, and nothing was written; --force makes new ones in place of all") from error
    except certificates.Faulty as error:
        raise Failure(str(error)) from error
    except OSError as error:
        raise Failure(f"cannot write to {folder}: {error.strerror}") from error
    except ValueError as error:
        raise Failure(f"{error}; give --host one, without a port") from error
