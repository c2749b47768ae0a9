"""Working out values on demand: each is evaluated once, whoever asks first, and one that asks for itself is refused.

Values ask for each other through functions, in any order and any number of steps, so a chain of them may be longer than
Python's stack: a value that is too far down is evaluated first, by itself, and then the one that asked for it again.
"""

from collections.abc import Iterable
from itertools import chain, islice
from typing import Any

from gorchestrator.tosca.faults import Place
from gorchestrator.tosca.model import Runtime, Text, Token, Value
from gorchestrator.tosca.reading.shapes import kind_of, place_in
from gorchestrator.tosca.topology import functions
from gorchestrator.tosca.topology.scope import Context, Scope, Slot, Slots
from gorchestrator.tosca.types.calls import FUNCTIONS, call_in
from gorchestrator.tosca.types.checking import check

_DEEPEST = 40  # levels of values within values, and of slots that ask for each other, on the stack at once
_MOST = 20_000  # parts of one value: a few slots that repeat each other would come to more than any memory holds
_DEEP = 100  # levels of one value


class Unresolved(Exception):
    """A value that could not be worked out; the report already says why."""


class _TooDeep(Exception):
    """A slot is to be evaluated by itself before what asks for it."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        super().__init__(slot.label)


class Evaluator:
    """Evaluates the slots of one topology."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._asking: list[Slot] = []
        self._level = 0

    def refusal(self, place: Place, text: str) -> Unresolved:
        """Tell a fault; what is returned is to be raised, and gives up the value that it stands in."""
        self.scope.report.fault(place, text)
        return Unresolved()

    def settle(self, slot: Slot) -> Value:
        """Evaluate a slot that nothing else waits for; None if it failed."""
        waiting = [slot]
        while waiting:
            try:
                self.value(waiting[-1])
            except _TooDeep as deep:
                if deep.slot in waiting:
                    self._circle(deep.slot)
                else:
                    waiting.append(deep.slot)
                continue
            except Unresolved:
                pass
            waiting.pop()
        return slot.value

    def settle_all(self, slots: Slots) -> dict[str, Value]:
        """Evaluate slots by name."""
        return {name: self.settle(slot) for name, slot in slots.items()}

    def value(self, slot: Slot) -> Value:
        """Return the value of a slot, from within another that asks for it. Raises Unresolved."""
        if self._asking:
            self._asking[-1].needs = slot
        if not slot.done:
            self._work_out(slot)
        if slot.failed:
            raise Unresolved
        return slot.value

    def evaluate(self, raw: Value, place: Place, context: Context) -> Value:
        """Return a value with its functions evaluated. Raises Unresolved, after every part of it was looked at."""
        if not isinstance(raw, (dict, list)):
            return raw
        self._level += 1
        try:
            called = call_in(raw)
            if called is None:
                self._warn_of_lookalikes(raw, place)
            else:
                return functions.call(self, *called, place_in(raw, called[0], place), context)
            return self._parts(raw, raw if isinstance(raw, dict) else range(len(raw)), place, context)
        finally:
            self._level -= 1

    def _warn_of_lookalikes(self, raw: Any, place: Place) -> None:
        """Tell of maps that may be meant as calls: of a function that there is not, or with something beside it."""
        for key in raw if isinstance(raw, dict) else ():
            if call_in({key: raw[key]}) or (str(key).startswith("get_") and key not in FUNCTIONS):
                text = (
                    f"{key} is taken for a key, and not for a function: a call is a map with the function's name alone"
                )
                self.scope.report.warn(place_in(raw, key, place), text)

    def _parts(self, raw: Any, keys: Iterable[Any], place: Place, context: Context) -> Value:
        """Return a map or list with its parts evaluated; itself, which knows its lines, if that changes nothing."""
        parts: list[tuple[Any, Value]] = []
        failed = changed = False
        for key in keys:
            try:
                value = self.evaluate(raw[key], place_in(raw, key, place), context)
            except Unresolved:
                failed = True
                continue
            parts.append((key, value))
            changed = changed or value is not raw[key]
        if failed:
            raise Unresolved
        if not changed:
            return raw
        return dict(parts) if isinstance(raw, dict) else [value for _, value in parts]

    def _work_out(self, slot: Slot) -> None:
        if slot in self._asking:
            self._circle(slot)
            return
        if self._level >= _DEEPEST:
            raise _TooDeep(slot)
        self._asking.append(slot)
        try:
            slot.value = self._checked(slot)
        except Unresolved:
            slot.failed = True
        finally:
            self._asking.pop()
        slot.done = True

    def _checked(self, slot: Slot) -> Value:
        value = self.evaluate(slot.raw, slot.place, slot.context)
        if not _bearable(value):
            raise self.refusal(slot.place, f"comes to more than {_MOST} parts, or to more than {_DEEP} levels")
        if slot.definition is None or self._is_told(slot, value):
            return value
        before = len(self.scope.report.faults)
        partly = known_at_run_time(value)
        checked = check(slot.raw if partly else value, slot.definition, slot.place, self.scope.types, self.scope.report)
        if len(self.scope.report.faults) > before:
            raise Unresolved
        return value if partly else checked

    def _is_told(self, slot: Slot, value: Value) -> bool:
        """Whether a script gets a value as a text all the same, though it is not the one that is declared."""
        if not slot.handed_over or slot.definition is None or slot.definition.type != "string":
            return False
        if not isinstance(value, (bool, dict, list)) or known_at_run_time(value):
            return False
        self.scope.report.warn(slot.place, f"is {kind_of(value)}, but should be a text: it is handed over as one")
        return True

    def _circle(self, slot: Slot) -> None:
        """Refuse a slot that asks for itself, telling the way."""
        way, at = [slot.label], slot.needs
        while at is not None and at is not slot:
            way.append(at.label)
            at = at.needs
        slot.failed = slot.done = True
        self.scope.report.fault(slot.place, f"asks for itself: {' → '.join([*way, slot.label])}")


def _bearable(value: Value) -> bool:
    """Whether a value is of a size and depth that others may go through."""
    level, parts = [value], 1
    for _ in range(_DEEP):
        within = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = list(islice(chain.from_iterable(within), _MOST + 1))
        parts += len(level)
        if not level or parts > _MOST:
            break
    return not level and parts <= _MOST


def known_at_run_time(value: Value) -> bool:
    """Whether a value, or a part of it, is known at run time only."""
    if isinstance(value, (Runtime, Text, Token)):
        return True
    if isinstance(value, dict):
        return any(map(known_at_run_time, value.values()))
    return isinstance(value, list) and any(map(known_at_run_time, value))
