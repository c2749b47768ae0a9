"""Orchestrator as a Service: runs graphs of nodes, each on an executor, over mutual TLS.

This package is the orchestrator and its clients; the package ``executor`` is the service that runs the nodes.
"""

__version__ = "0.1.0"
