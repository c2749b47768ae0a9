"""When a node is tried again, and after how long: its ``retry`` and ``on_lost``. Attempts are numbered from 1."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Result

FAILURE, TIMEOUT, LOST = "failure", "timeout", "lost"  # what `on` may hold
FAIL, AGAIN, ASK = "fail", "retry", "ask"  # what `on_lost` may be
DEFAULTS: Mapping[str, Any] = {
    "delay": 1.0,
    "factor": 2.0,
    "max_delay": 300.0,
    "jitter": 0.1,
    "on": (FAILURE, TIMEOUT),
    "exit_codes": (),
}


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and when a node is tried again. ``delay`` and ``max_delay`` are seconds.

    The delay grows by ``factor`` each time, up to ``max_delay``; ``jitter`` is the share of it that is left to chance.
    ``exit_codes``: after a failure by exit status, only these are tried again; empty for all.
    """

    limit: int
    delay: float
    factor: float
    max_delay: float
    jitter: float
    on: frozenset[str]
    exit_codes: frozenset[int]

    @classmethod
    def from_document(cls, spec: Mapping[str, Any] | None, on_lost: str | None) -> "Retry | None":
        """Return the policy of a node; ``on_lost: retry`` adds lost attempts, and alone allows one more attempt."""
        if spec is None and on_lost != AGAIN:
            return None
        given = {**DEFAULTS, **({"limit": 1, "on": ()} if spec is None else spec)}
        on = {*given["on"], LOST} if on_lost == AGAIN else {*given["on"]}
        return cls(**{**given, "on": frozenset(on), "exit_codes": frozenset(given["exit_codes"])})

    def covers(self, result: Result, attempt: int) -> bool:
        """Whether another attempt follows the one that ended so."""
        if attempt > self.limit:
            return False
        if result.reason_code is ReasonCode.LOST:
            return LOST in self.on
        if result.state is State.TIMEOUT:
            return TIMEOUT in self.on
        if result.state is not State.FAILURE or FAILURE not in self.on:
            return False
        return not self.exit_codes or result.exit_code in self.exit_codes

    def pause(self, node_key: str, attempt: int) -> float:
        """Return the seconds between an attempt and the next one; the same whenever it is asked again."""
        longest = min(self.max_delay, self.delay * self.factor ** (attempt - 1))
        chance = random.Random(f"{node_key}.{attempt}").uniform(-1, 1)  # noqa: S311  (no secret)
        return longest * (1 + self.jitter * chance)
