"""The shape of the document: what is refused field by field, and that the rules of the domain still see the rest."""

import pytest
from marshmallow import fields

from gorchestrator.api import gorch
from gorchestrator.api.reading import read_gorch


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
        ("allow_failure", 1),
        ("allow_failure", "true"),
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


def pauses_of(data):
    pauses = []
    read_gorch(data, 100, lambda: pauses.append(1))
    return len(pauses)


def test_reading_pauses_by_the_work_it_is():
    many = {"name": "a", "env": {f"V{number}": "x" for number in range(1000)}}
    assert pauses_of({"nodes": [many] * 20}) == 20
    assert pauses_of({"nodes": [{"name": "a", "args": ["x"] * 10_000}] * 20}) == 20
    assert pauses_of({"nodes": [{"name": "a"}] * 20}) == 0


@pytest.mark.parametrize(
    ("key", "value", "most"),
    [
        ("args", ["x"] * 10_001, 10_000),
        ("env", {f"V{number}": "x" for number in range(1001)}, 1000),
        ("output", {f"V{number}": "x" for number in range(1001)}, 1000),
        ("needs", [0] * 101, 100),
        ("retry/on", ["failure"] * 4, 3),
        ("retry/exit_codes", [1] * 257, 256),
    ],
)
def test_what_is_too_long_is_not_loaded(key, value, most, monkeypatch):
    loaded = []
    monkeypatch.setattr(fields.Field, "deserialize", lambda self, value, *_, **__: loaded.append(value) or value)
    first, _, second = key.partition("/")
    _, faults = shape({"nodes": [{"name": "a", first: {second: value} if second else value}]})
    assert faults == {f"/nodes/0/{key}": f"has a length of {len(value)}; at most {most} is taken"}
    assert value not in loaded
    assert "a" in loaded


def test_a_name_that_is_too_long_has_one_fault(monkeypatch):
    looked = []
    monkeypatch.setattr(gorch, "printable", lambda text: looked.append(text) or text)
    assert shape({"nodes": [{"name": "\n" * 10**6}]})[1] == {
        "/nodes/0/name": "has a length of 1000000; at most 255 is taken"
    }
    assert looked == []


def test_labels_beyond_their_number_are_refused_once():
    assert list(shape({"nodes": [{"name": "a"}], "labels": {str(i): 1 for i in range(101)}})[1]) == ["/labels"]


def test_unknown_keys_without_end_are_one_fault(monkeypatch):
    compared = []
    monkeypatch.setattr(gorch, "get_close_matches", lambda key, *_, **__: compared.append(key) or [])
    keys = {f"key{number}": 0 for number in range(20_000)}
    document, faults = shape({"nodes": [{"name": "a", **keys}, {"name": "b", "retry": {"limit": 1, **keys}}], **keys})
    assert list(faults) == ["", "/nodes/0", "/nodes/1/retry"]
    assert faults["/nodes/0"].startswith("has 20001 keys; the known ones are ")
    assert document["nodes"] == [{"name": "a"}, {"name": "b", "retry": {"limit": 1}}]
    shape({"nodes": [{"name": "a", "unknown": 0}] * 50})
    assert len(compared) == 20


def test_a_document_of_many_faults_is_not_looked_at_to_its_end():
    faulty = [{"name": "a", "args": [1] * 300} for _ in range(100)]
    document, faults = read_gorch({"nodes": faulty, "digraph": []}, 100, lambda: None)
    assert faults[19].pointer == "/nodes/0/args/19"
    assert faults[20].pointer == "/nodes/1/args/0"
    assert len(faults) == 1000
    assert (faults[-1].pointer, faults[-1].detail) == ("/nodes", "more is faulty; looked at up to node 49")
    assert document == {"nodes": []}


def test_sound_arguments_are_not_loaded_one_by_one(monkeypatch):
    loaded = []
    monkeypatch.setattr(fields.String, "_deserialize", lambda self, value, *_, **__: loaded.append(value) or value)
    document, faults = shape({"nodes": [{"name": "a", "args": ["x", "ü", ""]}]})
    assert (document["nodes"][0]["args"], faults, loaded) == (["x", "ü", ""], {}, ["a"])
