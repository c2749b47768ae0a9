"""Wall-clock times, for people: seconds since the epoch inside, RFC 3339 in UTC on the wire."""

from datetime import UTC, datetime


def to_wire(seconds: float | None) -> str | None:
    """Return ``2026-11-01T12:00:00.123456Z`` for seconds since the epoch, and None for None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def from_wire(text: str | None) -> float | None:
    """Return seconds since the epoch for an RFC 3339 time, and None for None. Raises ValueError on anything else."""
    return None if text is None else datetime.fromisoformat(text).timestamp()
