"""Certificates as people read them: a list of the facts of each."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gorchestrator.cli.tables import console, end, new_table, text

if TYPE_CHECKING:
    from gorchestrator.certificates import Description


def show_certificates(found: Iterable["Description"], now: float) -> None:
    """Print what certificates say, one below the other."""
    out = console()
    for number, each in enumerate(found):
        table = new_table("", "")
        table.show_header = False
        for label, value in (
            ("subject", each.subject),
            ("names", ", ".join(each.names)),
            ("for", ", ".join(each.usages)),
            ("issuer", each.issuer),
            ("sha256", each.fingerprint),
            ("key", each.key),
        ):
            table.add_row(label, text(value))
        table.add_row("ends", end(each.not_after, now))
        out.print(*([""] if number else []), text(each.file, "bold"), table, sep="\n")
