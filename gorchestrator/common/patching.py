"""gevent's patches, which both services apply before they import anything else.

gevent looks for extensions at each of some 25 steps, and each time reads what every installed package says of itself:
with a hundred packages that was a tenth of a start. Here all is read once. It stands apart because whatever is imported
together with it is imported unpatched.
"""

from importlib import metadata

from gevent import monkey


def patch_all() -> None:
    """Apply all patches of gevent."""
    read = metadata.entry_points
    found = read()
    metadata.entry_points = found.select
    try:
        monkey.patch_all()
    finally:
        metadata.entry_points = read
