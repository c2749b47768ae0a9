"""The graph and its rules. Pure Python: no gevent, no HTTP, no SQL."""
