"""Looks after the logs of running jobs, so that none takes more of the disk than its limit, or hardly more."""

import errno
import logging
from collections.abc import Callable, Collection
from typing import NoReturn

import gevent

from executor import capped
from executor.files import size_of

log = logging.getLogger(__name__)

LOOK = 0.1  # seconds
QUICK = 0.05  # the same while something prints a lot


class Trimmer:
    """Punches the middle out of logs."""

    def __init__(self, limit: int) -> None:
        """``limit``: bytes that are kept of each log."""
        self.limit = limit
        self.able = True  # as far as is known
        self.sizes: dict[str, int] = {}  # of long logs, when they were trimmed last

    def keep_trimming(self, paths: Callable[[], Collection[str]]) -> NoReturn:
        """Look after the logs that ``paths`` returns; for a greenlet of its own."""
        while True:
            sizes = {path: size for path in paths() if (size := size_of(path)) > self.limit}
            grown = [path for path, size in sizes.items() if size >= self._next(path)]
            for path in grown:
                self.trim(path)
            self.sizes = {path: size if path in grown else self.sizes.get(path, 0) for path, size in sizes.items()}
            gevent.sleep(QUICK if grown else LOOK)

    def trim(self, path: str) -> None:
        """Trim a log to its limit, in a native thread: a large hole takes a while."""
        if not self.able or size_of(path) <= self.limit:
            return
        error = gevent.get_hub().threadpool.apply(capped.punch, (path, self.limit))
        if error and error.errno == errno.EOPNOTSUPP:
            self.able = False
            log.warning(
                "the file system of %s cannot free the middle of a log: log_limit is not kept there",
                path,
                extra={"event": "log_not_trimmed"},
            )

    def _next(self, path: str) -> int:
        """Return the size at which a log is trimmed again."""
        return self.sizes.get(path, self.limit) + capped.step(self.limit)
