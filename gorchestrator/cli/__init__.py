"""The ``gorch`` command. It has no logic of its own: it starts services, or talks to one through the public client.

Its modules are imported when they are needed, so that a command starts quickly.
"""

from gorchestrator.cli.entry import main

__all__ = ["main"]
