"""Which state may follow which: a frozen set of pairs, and the one function that refuses all others."""

from gorchestrator.common.states import State
from gorchestrator.domain.errors import IllegalTransition

LEGAL_FOR_NODES = frozenset(
    {
        (State.INITIAL, State.TORUN),  # its graph was accepted
        (State.TORUN, State.TORUN),  # it waits for something else now
        (State.TORUN, State.RUNNING),  # an attempt is dispatched, or an engine of our own starts
        (State.TORUN, State.SUCCESS),  # a nil node is done as soon as it may run; or a person said so
        (State.TORUN, State.FAILURE),  # it cannot be dispatched: no executor for it, an output that is not there
        (State.TORUN, State.TIMEOUT),  # the graph's deadline; or it was queued when last heard of, and ran after that
        (State.TORUN, State.NOTRUNNABLE),  # a predecessor did not succeed
        (State.TORUN, State.CANCELED),  # canceled before it was dispatched
        (State.RUNNING, State.RUNNING),  # contact lost or found again, a cancel asked for
        (State.RUNNING, State.TORUN),  # the executor did not take it, or another attempt follows
        (State.RUNNING, State.SUCCESS),
        (State.RUNNING, State.FAILURE),
        (State.RUNNING, State.TIMEOUT),
        (State.RUNNING, State.CANCELED),  # its death is verified
    }
)

LEGAL_FOR_GRAPHS = frozenset(
    {
        (State.INITIAL, State.RUNNING),  # a process runs it
        (State.INITIAL, State.CANCELED),  # canceled before that
        (State.RUNNING, State.RUNNING),  # another process goes on with it
        (State.RUNNING, State.SUCCESS),
        (State.RUNNING, State.FAILURE),
        (State.RUNNING, State.TIMEOUT),
        (State.RUNNING, State.CANCELED),
    }
)


def check_node(old: State, new: State) -> None:
    """Raise :class:`IllegalTransition` unless a node in state ``old`` may come into state ``new``."""
    if (old, new) not in LEGAL_FOR_NODES:
        raise IllegalTransition(f"a node cannot go from {old.label} to {new.label}")


def check_graph(old: State, new: State) -> None:
    """Raise :class:`IllegalTransition` unless a graph in state ``old`` may come into state ``new``."""
    if (old, new) not in LEGAL_FOR_GRAPHS:
        raise IllegalTransition(f"a graph cannot go from {old.label} to {new.label}")
