"""For how long a client looks for a service that it has lost."""

import time

from gorchestrator.remote.connection import Refused, RemoteError

_PAUSE = 1.0  # seconds between two tries


class Patience:
    """Lets faults pass for so many ``seconds`` since the first of them; none before the first answer ever.

    Who has never answered is not lost: there the URL is wrong. Nor does a refusal pass, unless the service says so.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known = False
        self._lost: float | None = None

    def answered(self) -> None:
        """Note that all is well."""
        self._known, self._lost = True, None

    def bear(self, fault: RemoteError) -> None:
        """Wait a moment before the next try. Raises the fault if there is none."""
        self._lost = self._lost or time.monotonic()
        lasting = isinstance(fault, Refused) and fault.retry_after is None
        if lasting or not self._known or time.monotonic() - self._lost > self._seconds:
            raise fault
        time.sleep(_PAUSE)
