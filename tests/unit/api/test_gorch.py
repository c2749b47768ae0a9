"""The shape of the document: what is refused field by field, and that the rules of the domain still see the rest."""

import pytest

from gorchestrator.api.gorch import read_gorch


def shape(data, max_nodes=100):
    document, faults = read_gorch(data, max_nodes, lambda: None)
    return document, {fault.pointer: fault.detail for fault in faults}


def test_the_document_of_the_go_project_passes_as_it_is():
    node = {
        "id": 0,
        "state": 0,
        "name": "a",
        "target": "self",
        "engine": "nil",
        "artifact": "",
        "args": None,
        "output": None,
        "graph_id": "x",
    }
    document, faults = shape({"id": "x", "name": "Valid", "state": 0, "digraph": [0], "nodes": [node]})
    assert faults == {}
    assert document["digraph"] == [0]


@pytest.mark.parametrize("data", [None, [], "gorch", 5])
def test_a_document_that_is_no_object_is_refused(data):
    assert shape(data)[1] == {"": "must be an object with the key nodes"}


@pytest.mark.parametrize("nodes", [None, [], {}, "a", 1])
def test_nodes_are_needed(nodes):
    assert list(shape({"nodes": nodes, "digraph": []})[1]) == ["/nodes"]
    assert list(shape({})[1]) == ["/nodes"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", 5),
        ("name", "a\nb"),
        ("name", "\u202egnp.exe"),
        ("name", "x" * 10_000),
        ("id", "0"),
        ("id", 1.5),
        ("id", True),
        ("target", ["a"]),
        ("engine", 1),
        ("engine", "she\0ll"),
        ("artifact", "a\0b"),
        ("artifact", "\ud800"),
        ("args", "a b"),
        ("args/0", [1]),
        ("args/0", ["a\0b"]),
        ("args/0", ["x" * 200_000]),
        ("output", ["a"]),
        ("env", {"A": 1}),
        ("env", {"A=B": "x"}),
        ("env", {"": "x"}),
        ("needs", "a"),
    ],
)
def test_a_field_of_another_shape_is_named(field, value):
    key = field.partition("/")[0]
    _, faults = shape({"nodes": [{"name": "a"} | {key: value}]})
    assert [pointer.startswith(f"/nodes/0/{field}") for pointer in faults] == [True], faults


def test_an_unknown_key_is_an_error_and_a_near_one_is_suggested():
    _, faults = shape({"nodes": [{"name": "a", "artefact": "x", "when": "y", "zzz": 1}], "lables": {}})
    assert faults["/nodes/0/artefact"] == "is not a known key; is 'artifact' meant?"
    assert faults["/nodes/0/when"] == "is not supported yet"
    assert faults["/nodes/0/zzz"] == "is not a known key"
    assert faults["/lables"] == "is not a known key; is 'labels' meant?"


def test_too_many_nodes_are_refused_with_the_limit():
    assert "at most 3" in shape({"nodes": [{"name": str(i)} for i in range(4)]}, max_nodes=3)[1]["/nodes"]


def test_a_faulty_node_keeps_its_sound_fields():
    document, faults = shape({"nodes": [{"name": "a", "engine": 5, "needs": ["b"]}, "no object"]})
    assert document["nodes"] == [{"name": "a", "needs": ["b"]}, {}]
    assert set(faults) == {"/nodes/0/engine", "/nodes/1"}


def test_a_matrix_that_is_no_list_is_refused():
    assert shape({"nodes": [{"name": "a"}], "digraph": "0"})[1] == {"/digraph": "must be a list of integers"}
