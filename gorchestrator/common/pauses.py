"""The argument of the engine ``sleep``, which both services have."""

import math
import random
from collections.abc import Sequence


def seconds(args: Sequence[str]) -> float:
    """Return how long to sleep: the first argument, or up to a second at random. Raises ValueError with the reason."""
    if not args:
        return random.random()  # noqa: S311  (no secret depends on it)
    try:
        found = float(args[0])
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise ValueError(f"engine sleep takes a number of seconds as its first argument, not {args[0][:100]!r}")
    return found
