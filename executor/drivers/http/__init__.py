"""The engine ``http``: one request, made inside of the executor."""

from executor.drivers.http.driver import Http

__all__ = ["Http"]
