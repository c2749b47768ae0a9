"""Which state may follow which."""

import itertools

import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import IllegalTransition
from gorchestrator.domain.transitions import LEGAL_FOR_GRAPHS, LEGAL_FOR_NODES, check_graph, check_node


@pytest.mark.parametrize(
    ("check", "legal"), [(check_node, LEGAL_FOR_NODES), (check_graph, LEGAL_FOR_GRAPHS)], ids=["node", "graph"]
)
def test_only_the_legal_pairs_pass(check, legal):
    for old, new in itertools.product(State, State):
        if (old, new) in legal:
            check(old, new)
        else:
            with pytest.raises(IllegalTransition, match=f"{old.label} to {new.label}"):
                check(old, new)


def test_nothing_follows_a_final_state():
    assert not [pair for pair in LEGAL_FOR_NODES | LEGAL_FOR_GRAPHS if pair[0].final]


def test_final_is_from_three_on():
    assert [state for state in State if state.final] == [state for state in State if state >= 3]
