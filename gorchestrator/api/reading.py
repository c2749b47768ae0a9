"""From a parsed body to the document of a gorch and the faults of its shape, in slices so that the hub is not held.

What a schema would take long to load, only to refuse it, is refused before: too many keys, and what is too long. What a
faulty node still has of sound fields goes to the domain too, so that one answer lists every fault.
"""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields

from gorchestrator.api.gorch import GorchSchema, Length, NodeSchema, unknown_key
from gorchestrator.common.http.body import faults as flatten
from gorchestrator.common.http.body import step
from gorchestrator.domain.errors import Fault
from gorchestrator.domain.pace import Pace

_KEYS = 100  # of a node: unknown ones are listed up to here
_FAULTS_ENOUGH = 1000  # a document with so many is not looked at to its end
_SUGGESTIONS = 20  # for keys that are not known
_WORK_PER_SLICE = 2000  # microseconds, about
_NODE, _ENTRY, _FAULT = 30, 2, 20  # what these take
_ARGS = 5  # so many arguments take 1

_gorch = GorchSchema()
_envelope = GorchSchema(exclude=["nodes"])
_node = NodeSchema()


def read_gorch(data: Any, max_nodes: int, pause: Callable[[], None]) -> tuple[Mapping[str, Any], list[Fault]]:
    """Return a gorch's document with all sound fields, and the faults of its shape."""
    if not isinstance(data, Mapping):
        return {}, [Fault("", "must be an object with the key nodes")]
    reader = _Reader(max_nodes, Pace(pause, _WORK_PER_SLICE))
    given = reader.fitting(_gorch, data, "")
    listed = given.pop("nodes", None)
    document = reader.load(_envelope, given, "")
    if document.get("digraph") is not None and not isinstance(document["digraph"], list):
        reader.faults.append(Fault("/digraph", "must be a list of integers"))
        del document["digraph"]
    document["nodes"] = reader.nodes(listed)
    if not document["nodes"]:
        document.pop("digraph", None)  # its size would be a fault that says nothing
    return document, reader.faults


class _Reader:
    """Reads the parts of one document, and gathers their faults."""

    def __init__(self, max_nodes: int, pace: Pace) -> None:
        self.faults: list[Fault] = []
        self._max_nodes = max_nodes
        self._pace = pace
        self._suggestions = 0

    def nodes(self, listed: Any) -> list[dict[str, Any]]:
        """Return what is sound of the nodes; none of them if there are too many, or too many faults."""
        if not isinstance(listed, list) or not listed:
            self.faults.append(Fault("/nodes", "must be a list of at least one node"))
            return []
        most = self._max_nodes
        if len(listed) > most:
            self.faults.append(
                Fault("/nodes", f"has {len(listed)} nodes; at most {most} are taken (setting max_nodes)")
            )
            return []
        found = []
        for place, item in enumerate(listed):
            pointer = f"/nodes/{place}"
            before = len(self.faults)
            found.append(self.load(_node, self.fitting(_node, item, pointer), pointer))
            self._pace.spend(_NODE + _weight(item) + _FAULT * (len(self.faults) - before))
            if len(self.faults) >= _FAULTS_ENOUGH:
                self.faults[_FAULTS_ENOUGH - 1 :] = [Fault("/nodes", f"more is faulty; looked at up to node {place}")]
                return []
        return found

    def fitting(self, schema: Schema, data: Any, pointer: str) -> Any:
        """Return ``data`` without unknown keys and without what is too long."""
        if not isinstance(data, Mapping):
            return data
        if len(data) > _KEYS:
            self.faults.append(Fault(pointer, f"has {len(data)} keys; the known ones are {', '.join(schema.fields)}"))
            data = {key: data[key] for key in schema.fields if key in data}
        found = {}
        for key, value in data.items():
            place = pointer + step(key)
            field = schema.fields.get(key)
            if field is None:
                self.faults.append(Fault(place, self._unknown(schema, key)))
            elif fault := self._too_long(key, field, value):
                self.faults.append(Fault(place, fault))
            elif isinstance(field, fields.Nested):
                found[key] = self.fitting(field.schema, value, place)
            else:
                found[key] = value
        return found

    def load(self, schema: Schema, data: Any, pointer: str) -> dict[str, Any]:
        """Return what is sound of ``data``."""
        try:
            loaded: dict[str, Any] = schema.load(data)
        except ValidationError as error:
            found = flatten(error.messages, schema, pointer)
            self.faults.extend(Fault(fault["pointer"], fault["detail"]) for fault in found)
            return dict(error.valid_data) if isinstance(error.valid_data, dict) else {}
        return loaded

    def _too_long(self, key: str, field: fields.Field[Any], value: Any) -> str:
        limits = [check for check in field.validators if isinstance(check, Length)]
        if key == "needs":
            limits.append(Length(self._max_nodes))
        if isinstance(value, list | Mapping):
            for limit in limits:
                if fault := limit.fault(value):
                    return fault
        return ""

    def _unknown(self, schema: Schema, key: str) -> str:
        self._suggestions += 1
        return unknown_key(schema, key, suggest=self._suggestions <= _SUGGESTIONS)


def _weight(node: Any) -> int:
    if not isinstance(node, Mapping):
        return 0
    entries = sum(len(node[key]) for key in ("env", "output") if isinstance(node.get(key), Mapping))
    args = node.get("args")
    return entries * _ENTRY + (len(args) // _ARGS if isinstance(args, list) else 0)
