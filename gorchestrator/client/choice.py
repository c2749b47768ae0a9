"""Which executors a node may go to: the one that its target names, else those with that label, else the defaults."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from gorchestrator.common.endpoints import Endpoint
from gorchestrator.domain.attempts import NoExecutor


class Choosable(Protocol):
    """What a choice has to know of an executor."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def endpoint(self) -> Endpoint:
        """Its labels, and whether it is a default one."""

    def has(self, engine: str) -> bool:
        """Whether it has an engine, as far as is known."""


E = TypeVar("E", bound=Choosable)


def aimed(executors: Mapping[str, E], target: str) -> Sequence[E]:
    """Return the executors that are for a target, whatever engines they have."""
    if target in executors:
        return [executors[target]]
    labelled = [each for each in executors.values() if target and target in each.endpoint.labels]
    return labelled or defaults(executors.values())


def defaults(executors: Iterable[E]) -> Sequence[E]:
    """Return those that take what is for none in particular: if none is said to, all do."""
    all_of_them = list(executors)
    return [each for each in all_of_them if each.endpoint.default] or all_of_them


def fitting(executors: Mapping[str, E], target: str, engine: str) -> Sequence[E]:
    """Return the executors that a node of this target and engine may go to. Raises NoExecutor.

    Who is named takes it in any case: it says itself what engines it has.
    """
    found = aimed(executors, target)
    if target in executors:
        return found
    able = [each for each in found if each.has(engine)]
    if not able:
        whose = f"with the label {target!r} " if any(target in each.endpoint.labels for each in found) else ""
        raise NoExecutor(f"no executor {whose}has the engine {engine!r}")
    return able
