"""``get_attribute NODE:OUTPUT`` in the arguments of a node: which ancestor is meant, and what its output is.

NODE is an exact name first, then a regular expression searched in the names of the ancestors; the first match in the
order of ids counts. Names are known when a gorch is submitted, so which ancestor is meant is settled then. Patterns
come from users: RE2 matches in linear time, and the number of different ones in a gorch is bounded.
"""

from collections.abc import Callable, Mapping, Sequence

import re2

from gorchestrator.domain.errors import Fault
from gorchestrator.domain.graph import Node, Reference
from gorchestrator.domain.pace import Pause

_MARK = "get_attribute "
_PATTERNS_LIMIT = 100
_PATTERN_LENGTH = 1000
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class MissingOutput(Exception):
    """An ancestor did not produce the output that an argument asks for."""


class Resolver:
    """Finds the ancestors that the arguments of the nodes of one graph refer to."""

    def __init__(self, names: Sequence[str], needs: Sequence[Sequence[int]], order: Sequence[int]) -> None:
        self._names = names
        self._by_name = {name: node for node, name in enumerate(names)}
        self._needs = needs
        self._order = order
        self._ancestors: list[int] = []
        self._patterns: dict[str, int] = {}

    def resolve(
        self, node: int, args: Sequence[str], pointer: str, faults: list[Fault], pause: Pause
    ) -> tuple[Reference, ...]:
        """Return the references in ``args`` of a node; what is wrong is added to ``faults`` below ``pointer``."""
        found = []
        for index, arg in enumerate(args):
            prefix, mark, rest = arg.partition(_MARK)
            if not mark or (prefix and not _is_name(prefix)):
                continue
            wanted, _, output = rest.rpartition(":")
            if not wanted or not output:
                faults.append(Fault(f"{pointer}/{index}", "get_attribute takes NODE:OUTPUT"))
                continue
            try:
                ancestor = self._find(node, wanted, pause)
            except ValueError as error:
                faults.append(Fault(f"{pointer}/{index}", str(error)))
                continue
            found.append(Reference(index, prefix, ancestor, output))
        return tuple(found)

    def _find(self, node: int, wanted: str, pause: Pause) -> int:
        """Return the id of the ancestor that ``wanted`` names. Raises ValueError, saying why, if there is none."""
        if not self._ancestors:
            self._ancestors = _ancestors(self._needs, self._order, pause)
        ancestors = self._ancestors[node]
        exact = self._by_name.get(wanted)
        if exact is not None:
            if ancestors >> exact & 1:
                return exact
            raise ValueError(f"node {wanted[:100]!r} is not an ancestor of this node; its output cannot be known")
        matches = self._matches(wanted, pause) & ancestors
        if not matches:
            raise ValueError(f"no ancestor of this node is named {wanted[:100]!r} or matches it")
        return (matches & -matches).bit_length() - 1

    def _matches(self, pattern: str, pause: Pause) -> int:
        """Return the nodes whose names match, as a bit for each id. Raises ValueError if it is no usable pattern."""
        if pattern not in self._patterns:
            if len(self._patterns) >= _PATTERNS_LIMIT or len(pattern) > _PATTERN_LENGTH:
                raise ValueError(
                    f"no node has this name, and a gorch may use at most {_PATTERNS_LIMIT} different patterns"
                    f" of {_PATTERN_LENGTH} characters each"
                )
            self._patterns[pattern] = self._search(pattern, pause)
        return self._patterns[pattern]

    def _search(self, pattern: str, pause: Pause) -> int:
        try:
            compiled = re2.compile(pattern, _OPTIONS)
        except re2.error:
            raise ValueError(f"no node is named {pattern[:100]!r}, and it is no regular expression of RE2") from None
        found = bytearray(len(self._names) // 8 + 1)
        for node, name in enumerate(self._names):
            if compiled.search(name):
                found[node // 8] |= 1 << node % 8
            if node % 500 == 0:
                pause()
        return int.from_bytes(found, "little")


def _is_name(prefix: str) -> bool:
    """Whether what stands before get_attribute is ``NAME=``."""
    return prefix.endswith("=") and len(prefix) > 1 and not any(character.isspace() for character in prefix)


def _ancestors(needs: Sequence[Sequence[int]], order: Sequence[int], pause: Pause) -> list[int]:
    """Return the ancestors of each node as a bit for each id: n*n/8 bytes, where lists would take n*n words."""
    found = [0] * len(needs)
    for place, node in enumerate(order):
        for predecessor in needs[node]:
            found[node] |= found[predecessor] | 1 << predecessor
        if place % 500 == 0:
            pause()
    return found


def fill_in(node: Node, nodes: Sequence[Node], output_of: Callable[[int], Mapping[str, str]]) -> tuple[str, ...]:
    """Return the arguments of a node with its references replaced by the outputs of its ancestors.

    ``output_of`` tells what a finished ancestor produced, by its id. Raises :class:`MissingOutput`, saying which one.
    """
    args = list(node.args)
    for reference in node.references:
        produced = output_of(reference.node)
        if reference.output not in produced:
            there_are = ", ".join(sorted(produced)) or "none"
            raise MissingOutput(
                f"argument {reference.index} wants the output {reference.output!r} of node"
                f" {nodes[reference.node].name!r}, which did not produce it (its outputs: {there_are})"
            )
        args[reference.index] = reference.prefix + produced[reference.output]
    return tuple(args)
