"""Who did what, as it is stored; and what the service writes there of itself."""

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
    subject = "" if judged.file is None else str(judged.file)
    if judged.faults:
        return Act(SERVICE, Action.RELOAD, subject, {"refused": list(judged.faults[:_FAULTS])})
    named = {"settings": list(judged.changed), "waiting": list(judged.waiting)}
    return Act(SERVICE, Action.RELOAD, subject, {name: found for name, found in named.items() if found})
