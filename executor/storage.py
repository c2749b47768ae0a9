"""A disk without room: what cannot be stored is refused, what was accepted already waits, and both are tried again.

It has a module of its own because requests and running jobs meet the same fault and it is told only once.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from executor import refusals
from executor.files import no_room

log = logging.getLogger(__name__)


class Storage:
    """What is known of the disk below the data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.full = False

    @contextmanager
    def needed(self) -> Iterator[None]:
        """Turn a write that found no room into :class:`refusals.StorageFull`."""
        try:
            yield
        except OSError as error:
            if not no_room(error):
                raise
            raise refusals.StorageFull(self.missed(error)) from None

    def missed(self, error: OSError) -> str:
        """Take note that there was no room; returns what is wrong and what to do."""
        text = f"No room in {self.data} ({error.strerror}): free some space, then it goes on by itself."
        if not self.full:
            log.warning("%s", text, extra={"event": "storage_full", "reason": error.strerror})
        self.full = True
        return text

    def written(self) -> None:
        """Take note that something new was written."""
        if self.full:
            log.info("there is room in %s again", self.data, extra={"event": "storage_available"})
        self.full = False
