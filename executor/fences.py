"""The highest fence seen of each run: what an orchestrator with a lower one asks for is refused.

Fences start at 1 and grow when another process takes a run over, which is rare, so only higher ones are written.
"""

import os
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from executor.files import write_atomically

FIRST = 1
CACHED = 1_000  # runs; of others it is read again


class Fences:
    """Remembers fences, also over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: OrderedDict[str, int] = OrderedDict()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def admit(self, run: str, fence: int) -> int | None:
        """Take note of a fence; returns a higher one that was seen before, which means that this one is stale."""
        seen = self.seen.pop(run, None)
        if seen is None:
            seen = self._read(run)
        if fence > max(seen, FIRST):  # first on the disk: what could not be written there is not known
            write_atomically(f"{self.folder}/{run}", str(fence).encode())
        self.seen[run] = max(seen, fence)
        if len(self.seen) > CACHED:
            self.seen.popitem(last=False)
        return seen if fence < seen else None

    def prune(self, age: float) -> None:
        """Forget those that were written more than ``age`` seconds ago."""
        limit = time.time() - age
        for entry in list(os.scandir(self.folder)):
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < limit:
                    os.unlink(entry.path)

    def _read(self, run: str) -> int:
        try:
            return int((self.folder / run).read_bytes())
        except (OSError, ValueError):
            return 0
