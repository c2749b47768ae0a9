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
_DEFAULT = "the default executors"
_NAMED = 5  # executors in a sentence


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


def aim(executors: Mapping[str, E], target: str) -> str:
    """Return whom a target is for, as a part of a sentence."""
    if target in executors:
        return f"executor {target!r}"
    if target and any(target in each.endpoint.labels for each in executors.values()):
        return f"executors with the label {target!r}"
    return _DEFAULT


def aims(executors: Mapping[str, E], executor: E) -> frozenset[str]:
    """Return all that :func:`aim` says of targets that are for an executor."""
    by_label = {f"executors with the label {each!r}" for each in executor.endpoint.labels}
    default = {_DEFAULT} if executor in defaults(executors.values()) else set()
    return frozenset({f"executor {executor.name!r}", *by_label, *default})


def others(executors: Mapping[str, E], target: str, engine: str) -> dict[str, str]:
    """Return the executors that a node of this target and engine may not go to, each with the reason."""
    meant = aimed(executors, target)
    found = {}
    for name, each in executors.items():
        if each not in meant:
            found[name] = f"the target {target!r} is for {aim(executors, target)}"
        elif name != target and not each.has(engine):
            found[name] = f"it has no engine {engine!r}"
    return found


def fitting(executors: Mapping[str, E], target: str, engine: str) -> Sequence[E]:
    """Return the executors that a node of this target and engine may go to. Raises NoExecutor.

    Who is named takes it in any case: it says itself what engines it has.
    """
    found = aimed(executors, target)
    if target in executors:
        return found
    able = [each for each in found if each.has(engine)]
    if not able:
        whose = f" with the label {target!r}" if any(target in each.endpoint.labels for each in found) else ""
        elsewhere = [repr(each.name) for each in executors.values() if each not in found and each.has(engine)]
        but = f"; {_some(elsewhere)}, but the target {target!r} is for {aim(executors, target)}" if elsewhere else ""
        raise NoExecutor(f"no executor{whose} has the engine {engine!r}{but}")
    return able


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more} {'have' if len(names) > 1 else 'has'} it"
