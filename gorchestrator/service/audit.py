"""Who did what, as it is stored; and what the service writes there of itself."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from gorchestrator.common.reload import Judged
from gorchestrator.domain.audit import SERVICE, Act, Action, Line, Wanted
from gorchestrator.store import Store

_FAULTS = 20  # of a settings file in one line; the log has all


class Audit:
    """The lines of all processes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def lines(self, wanted: Wanted) -> tuple[list[Line], bool]:
        """Return lines, the newest first, and whether there are more like them."""
        return self._store.reader.audit(wanted)

    def settings(self, judged: Judged) -> None:
        """Write that settings were read again. Raises StoreUnavailable."""
        self._store.journal.audit(settings_read(judged))


def settings_read(judged: Judged) -> Act:
    """Return the line of settings that were read again. Who wrote the file, or sent the signal, nobody knows."""
    subject = _shown(judged.file)
    if judged.faults:
        return Act(SERVICE, Action.RELOAD, subject, {"refused": list(judged.faults[:_FAULTS])})
    named = {"settings": list(judged.changed), "waiting": list(judged.waiting)}
    return Act(SERVICE, Action.RELOAD, subject, {name: found for name, found in named.items() if found})


def settings_started(file: Path | None, changed: Sequence[str]) -> Act | None:
    """Return the line of a start with other settings than the last time; None: there are none."""
    return Act(SERVICE, Action.START, _shown(file), {"settings": list(changed)}) if changed else None


def digests(settings: Any) -> dict[str, str]:
    """Return a digest of the value of each setting: each field of a dataclass."""
    values = {each.name: getattr(settings, each.name) for each in fields(settings)}
    return {name: sha256(_text(value).encode()).hexdigest()[:16] for name, value in values.items()}


def _text(value: object) -> str:
    return repr(sorted(value.items()) if isinstance(value, Mapping) else value)


def _shown(file: Path | None) -> str:
    return "" if file is None else str(file)
