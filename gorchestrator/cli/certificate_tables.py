"""Certificates as people read them: a list of each one's facts, and ends in words."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.text import Text

from gorchestrator.cli.tables import BAD, console, new_table, text
from gorchestrator.common.expiry import WARNING, day, in_words
from gorchestrator.common.timestamps import from_wire

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


def end(not_after: float, now: float) -> Text:
    """Return an end as a date and in words, in colours when it is near."""
    style = BAD if not_after <= now else "yellow" if not_after - now < WARNING else ""
    return Text(f"{day(not_after)} ({in_words(not_after, now)})", style)


def end_of(certificate: dict[str, Any] | None, now: float) -> Text:
    """Return the end of a certificate as the API gives it; empty if it is not known."""
    not_after = from_wire((certificate or {}).get("not_after"))
    return Text("") if not_after is None else end(not_after, now)
