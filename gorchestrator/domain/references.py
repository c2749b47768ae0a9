"""``get_attribute NODE:OUTPUT`` in the arguments of a node: which ancestor is meant, and what its output is.

NODE is an exact name first, then a regular expression searched in the names of the ancestors; the first match in the
order of ids counts. Names are known when a gorch is submitted, so which ancestor is meant is settled then. Patterns
come from users. RE2 takes time by the length of the name times the size of the pattern's program: both are bounded, as
is what all patterns of a gorch take together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import re2

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.domain.errors import Fault
from gorchestrator.domain.graph import Node, Reference
from gorchestrator.domain.pace import Pace, Pause

_MARK = "get_attribute "
PATTERNS_LIMIT = 100
PATTERN_LENGTH = 200
ARGUMENTS_LIMIT = 2 * 2**20  # bytes of all arguments of a node, where outputs of others are among them
# Work, in bytes of a name times instructions of a program: 0.2 to 5 ns each.
_WORK_LIMIT = 4 * 10**8
_WORK_PER_SLICE = 400_000
_EDGE, _ARGUMENT, _REFERENCE, _COMPILE = 100, 100, 1000, 100_000  # what these take beside, in the same measure
_FAULTS_ENOUGH = 1000  # a gorch with so many is not looked at to its end
_SHOWN = 100  # characters of a text in a reason
_SHOWN_OUTPUTS = 5
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 15  # a program has 2,000 instructions at the most: 3 ms for a name of 255 letters


class MissingOutput(Exception):
    """An ancestor did not produce the output that an argument asks for."""

    code: ClassVar[ReasonCode] = ReasonCode.REFERENCE


class ArgumentsTooLong(MissingOutput):
    """The outputs that arguments ask for are there, but too much altogether."""

    code = ReasonCode.ARGUMENT


class Resolver:
    """Finds the ancestors that the arguments of the nodes of one graph refer to."""

    def __init__(
        self, names: Sequence[str], needs: Sequence[Sequence[int]], order: Sequence[int], pause: Pause
    ) -> None:
        self._names = names
        self._by_name = {name: node for node, name in enumerate(names)}
        self._needs = needs
        self._order = order
        self._ancestors: list[int] = []
        self._patterns: dict[str, int | str] = {}  # the nodes that match as bits, or what is wrong with the pattern
        self._work = 0
        self._pace = Pace(pause, _WORK_PER_SLICE)

    def resolve(self, node: int, args: Sequence[str], pointer: str, faults: list[Fault]) -> tuple[Reference, ...]:
        """Return the references in ``args`` of a node; what is wrong is added to ``faults`` below ``pointer``."""
        found: list[Reference] = []
        if len(faults) > _FAULTS_ENOUGH:
            return ()
        for index, arg in enumerate(args):
            self._pace.spend(_ARGUMENT)
            prefix, mark, rest = arg.partition(_MARK)
            if not mark or (prefix and not _is_name(prefix)):
                continue
            wanted, _, output = rest.rpartition(":")
            if not wanted or not output:
                faults.append(Fault(f"{pointer}/{index}", "get_attribute takes NODE:OUTPUT"))
                continue
            try:
                ancestor = self._find(node, wanted)
            except ValueError as error:
                faults.append(Fault(f"{pointer}/{index}", str(error)))
                continue
            found.append(Reference(index, prefix, ancestor, output))
        return tuple(found)

    def _find(self, node: int, wanted: str) -> int:
        """Return the id of the ancestor that ``wanted`` names. Raises ValueError, saying why, if there is none."""
        self._pace.spend(_REFERENCE)
        if not self._ancestors:
            self._ancestors = _ancestors(self._needs, self._order, self._pace)
        ancestors = self._ancestors[node]
        exact = self._by_name.get(wanted)
        if exact is not None:
            if ancestors >> exact & 1:
                return exact
            raise ValueError(f"node {wanted[:100]!r} is not an ancestor of this node; its output cannot be known")
        matches = self._matches(wanted) & ancestors
        if not matches:
            raise ValueError(f"no ancestor of this node is named {wanted[:100]!r} or matches it")
        return (matches & -matches).bit_length() - 1

    def _matches(self, pattern: str) -> int:
        """Return the nodes whose names match, as a bit for each id. Raises ValueError if it is no usable pattern."""
        if pattern not in self._patterns:
            if len(self._patterns) >= PATTERNS_LIMIT or len(pattern) > PATTERN_LENGTH:
                raise ValueError(
                    f"no node has this name, and a gorch may use at most {PATTERNS_LIMIT} different patterns"
                    f" of {PATTERN_LENGTH} characters each"
                )
            try:
                self._patterns[pattern] = self._search(pattern)
            except ValueError as error:
                self._patterns[pattern] = str(error)
        found = self._patterns[pattern]
        if isinstance(found, str):
            raise ValueError(found)
        return found

    def _search(self, pattern: str) -> int:
        self._pace.spend(_COMPILE)
        program = _compile(pattern)
        found = bytearray(len(self._names) // 8 + 1)
        for node, name in enumerate(self._names):
            work = (len(name.encode()) + 1) * program.programsize
            self._work += work
            if self._work > _WORK_LIMIT:
                raise ValueError("the patterns of this gorch take too long; use fewer or simpler ones, or exact names")
            if program.search(name):
                found[node // 8] |= 1 << node % 8
            self._pace.spend(work)
        return int.from_bytes(found, "little")


def _compile(pattern: str) -> Any:
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        fault = "is too large a regular expression" if "too large" in str(error) else "is no regular expression of RE2"
        raise ValueError(f"no node is named {pattern[:_SHOWN]!r}, and it {fault}") from None


def _is_name(prefix: str) -> bool:
    """Whether what stands before get_attribute is ``NAME=``."""
    return prefix.endswith("=") and len(prefix) > 1 and not any(character.isspace() for character in prefix)


def _ancestors(needs: Sequence[Sequence[int]], order: Sequence[int], pace: Pace) -> list[int]:
    """Return the ancestors of each node as a bit for each id: n*n/8 bytes, where lists would take n*n words."""
    found = [0] * len(needs)
    for node in order:
        for predecessor in needs[node]:
            found[node] |= found[predecessor] | 1 << predecessor
            pace.spend(_EDGE)
    return found


def fill_in(node: Node, nodes: Sequence[Node], output_of: Callable[[int], Mapping[str, str]]) -> tuple[str, ...]:
    """Return the arguments of a node with its references replaced by the outputs of its ancestors.

    ``output_of`` tells what a finished ancestor produced, by its id. Raises :class:`MissingOutput`, saying which one,
    or :class:`ArgumentsTooLong`: a short document can ask for the same long output many times.
    """
    if not node.references:
        return node.args
    args = list(node.args)
    size = sum(len(arg.encode()) for arg in args)
    for reference in node.references:
        produced = output_of(reference.node)
        if reference.output not in produced:
            raise MissingOutput(
                f"argument {reference.index} wants the output {reference.output[:_SHOWN]!r} of node"
                f" {nodes[reference.node].name!r}, which did not produce it (its outputs: {_listed(produced)})"
            )
        filled = reference.prefix + produced[reference.output]
        size += len(filled.encode()) - len(args[reference.index].encode())
        if size > ARGUMENTS_LIMIT:
            raise ArgumentsTooLong(
                f"with the outputs of other nodes its arguments have more than {ARGUMENTS_LIMIT} bytes in all"
                f" (up to argument {reference.index}); pass long values by files"
            )
        args[reference.index] = filled
    return tuple(args)


def _listed(produced: Mapping[str, str]) -> str:
    shown = ", ".join(name[:_SHOWN] for name in sorted(produced)[:_SHOWN_OUTPUTS])
    more = len(produced) - _SHOWN_OUTPUTS
    return (shown or "none") + (f" and {more} more" if more > 0 else "")
