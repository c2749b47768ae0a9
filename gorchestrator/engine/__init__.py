"""The scheduler: one greenlet per node, one run per graph, and who owns it. Talks to ports; no HTTP, SQL or JSON."""
