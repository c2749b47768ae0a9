"""When work that is made of unequal pieces pauses: by what was done, not by how many pieces there were."""

from collections.abc import Callable

Pause = Callable[[], None]


class Pace:
    """Calls ``pause`` each time that ``most`` units of work have been told."""

    def __init__(self, pause: Pause, most: int) -> None:
        self._pause = pause
        self._most = most
        self._done = 0

    def spend(self, units: int) -> None:
        """Tell what was done since the last call."""
        self._done += units
        if self._done >= self._most:
            self._done = 0
            self._pause()
