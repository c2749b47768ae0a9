"""gunicorn's own messages as lines of our log. Only gunicorn imports this, by its setting ``logger_class``."""

import logging
from typing import Any

from greenlet import GreenletExit
from gunicorn.glogging import Logger

from gorchestrator.common import logs


class GunicornLog(Logger):
    """Hands everything to the root logger, which :func:`gorchestrator.common.logs.configure` has set up."""

    def setup(self, cfg: Any) -> None:
        """Take gunicorn's handlers off again; it calls this on every reload."""
        super().setup(cfg)
        logs.join("gunicorn.error")
        self.error_log.addFilter(_tells_something)


def _tells_something(record: logging.LogRecord) -> bool:
    """Leave out that a connection on which nothing was asked is closed when the server stops."""
    return not (record.exc_info and record.exc_info[0] is not None and issubclass(record.exc_info[0], GreenletExit))
