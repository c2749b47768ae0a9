"""How many answers without an end each client has open in this process: events and logs that are followed."""

from collections import Counter

from gorchestrator.domain.errors import TooManyStreams


class Streams:
    """Counts them. ``most``: of one client; it may be changed meanwhile."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: Counter[str] = Counter()

    def enter(self, client: str, name: str) -> None:
        """Count one more of a client, who is called so. Raises TooManyStreams."""
        if self._open[client] >= self.most:
            raise TooManyStreams(name, self.most)
        self._open[client] += 1

    def leave(self, client: str) -> None:
        """Count one less."""
        self._open[client] -= 1
        if not self._open[client]:
            del self._open[client]
