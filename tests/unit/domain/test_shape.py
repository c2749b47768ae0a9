"""Layers, the longest path and the parts of graphs, and what they ask of executors."""

from itertools import pairwise

import pytest

from gorchestrator.domain.demand import demand, unmet
from gorchestrator.domain.digraph import topological_order
from gorchestrator.domain.graph import Node
from gorchestrator.domain.shape import by_layer, components, critical_path, layers
from layout_support import any_pairs, chain, layer_of


def no_pause():
    pass


def layers_of(needs):
    order, _ = topological_order(needs, no_pause)
    return layers(needs, order, no_pause)


@pytest.mark.parametrize(
    ("needs", "layer", "path"),
    [
        ([], [], []),
        ([[]], [0], [0]),
        ([[], []], [0, 0], [0]),
        ([[], [0], [0], [1, 2]], [0, 1, 1, 2], [0, 1, 3]),
        ([[1], [], [0, 1]], [1, 0, 2], [1, 0, 2]),
        ([[], [], [1], [0, 2]], [0, 0, 1, 2], [1, 2, 3]),
    ],
)
def test_a_node_is_one_behind_the_last_of_its_predecessors(needs, layer, path):
    assert layers_of(needs) == layer
    assert critical_path(needs, layer, no_pause) == path


def test_of_any_graph():
    for seed in range(20):
        needs = any_pairs(50, 80, seed)
        layer = layers_of(needs)
        assert layer == layer_of(needs)
        path = critical_path(needs, layer, no_pause)
        assert [layer[node] for node in path] == [*range(max(layer) + 1)]
        assert all(before in needs[node] for before, node in pairwise(path))
        assert by_layer(layer) == [[n for n in range(50) if layer[n] == number] for number in range(max(layer) + 1)]


def test_a_long_chain_is_looked_at_in_slices():
    needs, pauses = chain(100_000), []
    order, _ = topological_order(needs, no_pause)
    layer = layers(needs, order, lambda: pauses.append(1))
    assert layer[-1] == 99_999
    assert len(pauses) >= 9
    assert len(critical_path(needs, layer, lambda: pauses.append(1))) == 100_000
    assert len(pauses) >= 18


def test_parts_are_what_no_edge_connects():
    needs = [[], [0], [], [2, 5], [], []]
    _, successors = topological_order(needs, no_pause)
    assert components(needs, successors) == [[0, 1], [2, 3, 5], [4]]


# -- executors

NODES = [
    Node(0, "a", engine="shell"),
    Node(1, "b", engine="nil"),
    Node(2, "c", engine="nil", target="east"),
    Node(3, "d", engine="ssh", target="a-host"),
    Node(4, "e", engine="docker", target="west"),
    Node(5, "f", engine="shell", target="west"),
]


DEFAULT = "the default executors"


def wanted(nodes, *executors, labels=()):
    def aim(target):
        return f"executor {target!r}" if target in executors else f"label {target}" if target in labels else DEFAULT

    return demand(nodes, executors, aim, no_pause)


def test_an_executor_needs_the_engines_of_nodes_that_are_for_none_in_particular():
    asked = wanted(NODES[:4], "other")
    assert unmet(asked, {DEFAULT}, dict.fromkeys(["shell", "ssh"])) is None
    assert unmet(asked, {DEFAULT}, {"ssh": None}) == "it has no engine shell"
    assert unmet(asked, {DEFAULT}, {}) == "it has no engine shell, ssh"
    broken = {"shell": None, "ssh": "no ssh client"}
    assert unmet(asked, {DEFAULT}, broken) == "its engine ssh does not work: no ssh client"


def test_an_executor_does_not_take_what_is_for_another_one():
    asked = wanted(NODES, "east", "west")
    known = dict.fromkeys(["nil", "shell", "ssh", "docker"])
    assert unmet(asked, {DEFAULT, "executor 'east'"}, known) == "node 'e' is for executor 'west'"
    assert unmet(asked, {DEFAULT, "executor 'west'"}, known) == "node 'c' is for executor 'east'"
    assert unmet(asked, {"executor 'east'", "executor 'west'"}, known) == f"node 'a' is for {DEFAULT}"
    assert unmet(wanted(NODES[:3], "east"), {DEFAULT, "executor 'east'"}, {"shell": None}) == "it has no engine nil"
    assert unmet(wanted([], "east"), {"executor 'east'"}, {}) is None


def test_an_executor_takes_what_is_for_its_labels_alone():
    asked = wanted(NODES[3:], labels=["a-host", "west"])
    assert unmet(asked, {"label a-host", "label west"}, dict.fromkeys(["ssh", "docker", "shell"])) is None
    assert unmet(asked, {"label a-host", DEFAULT}, {"ssh": None}) == "node 'e' is for label west"


def test_a_long_list_of_engines_is_cut():
    asked = wanted([Node(number, str(number), engine=f"e{number:02}") for number in range(15)])
    found = unmet(asked, {DEFAULT}, {})
    assert found == "it has no engine e00, e01, e02, e03, e04, e05, e06, e07, e08, e09 and 5 more"
