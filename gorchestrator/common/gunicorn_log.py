"""gunicorn's own messages as lines of our log. Only gunicorn imports this, by its setting ``logger_class``."""

from typing import Any

from gunicorn.glogging import Logger

from gorchestrator.common import logs


class GunicornLog(Logger):
    """Hands everything to the root logger, which :func:`gorchestrator.common.logs.configure` has set up."""

    def setup(self, cfg: Any) -> None:
        """Take gunicorn's handlers off again; it calls this on every reload."""
        super().setup(cfg)
        logs.join("gunicorn.error")
