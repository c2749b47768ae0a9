"""Until when the certificates in use hold: what a process serves with, shows, trusts, and was shown.

It is one table for a process: gunicorn makes the worker that serves TLS and the application makes the clients, so
nobody could hand the table to both. Whoever uses certificates has a :class:`Use` in it; metrics and pings read it.
"""

from dataclasses import dataclass

from gorchestrator.common.timestamps import to_wire

DAY = 86400.0  # seconds
WARNING = 30 * DAY  # seconds before its end from which a certificate is warned of


@dataclass(frozen=True, slots=True)
class InUse:
    """A certificate that is used.

    ``kind``: ``server`` (shown to callers), ``client`` (shown to executors), ``ca`` (trusted; of several, the one that
    holds longest) or ``executor`` (what one has shown). ``name``: its file, or the executor. ``not_after``: its end, in
    seconds since the epoch.
    """

    kind: str
    name: str
    subject: str
    not_after: float

    @property
    def key(self) -> str:
        """What it is told from others by."""
        return f"{self.kind} {self.name}"


class Use:
    """The certificates that one part of the process uses at present."""

    def __init__(self) -> None:
        self.held: tuple[InUse, ...] = ()

    def hold(self, *certificates: InUse) -> None:
        """Use these from now on, and no others."""
        self.held = certificates
        _uses[id(self)] = self

    def end(self) -> None:
        """Use none any more."""
        self.held = ()
        _uses.pop(id(self), None)


_uses: dict[int, Use] = {}


def in_use() -> list[InUse]:
    """Return the certificates in use, each once, the own ones first."""
    found = {each.key: each for use in list(_uses.values()) for each in use.held}
    return sorted(found.values(), key=lambda each: (each.kind == "executor", each.kind, each.name))


def expiries() -> dict[str, float]:
    """Return the ends of the certificates in use (seconds since the epoch) by kind and name."""
    return {each.key: each.not_after for each in in_use()}


def in_words(not_after: float, now: float) -> str:
    """Return how far away an end is: ``in 29 days``, ``in 3 hours``, ``expired 2 days ago``."""
    left = not_after - now
    far = _amount(abs(left))
    return f"in {far}" if left > 0 else f"expired {far} ago"


def day(not_after: float) -> str:
    """Return an end for people: ``2028-11-22 03:08 UTC``."""
    return f"{(to_wire(not_after) or '')[:16].replace('T', ' ')} UTC"


def _amount(length: float) -> str:
    for unit, size in (("day", DAY), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0)):
        number = int(length // size)
        if number >= (2 if size < DAY and unit != "second" else 1):
            return f"{number} {unit}{'s' * (number != 1)}"
    return "less than a second"
