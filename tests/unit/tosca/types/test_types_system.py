"""Types by their names, with all that they inherit."""

from typing import Any

import pytest

from gorchestrator.tosca.faults import ToscaError
from gorchestrator.tosca.types import normative
from gorchestrator.tosca.types.system import _SECTIONS

NODE = """
capability_types: {my.Cap: {derived_from: tosca.capabilities.Root, properties: {n: {type: integer, default: 1}}}}
interface_types:
  my.Care: {derived_from: tosca.interfaces.Root, inputs: {all: {type: string}}, operations: {feed: {}, wash: {}}}
node_types:
  my.Base:
    derived_from: tosca.nodes.Root
    properties: {name: {type: string, default: base, constraints: [{min_length: 1}]}, port: {type: integer}}
    capabilities: {cap: {type: my.Cap, valid_source_types: [my.Base]}}
    requirements:
      - peer: {capability: my.Cap, node: my.Base, relationship: {type: DependsOn, interfaces: {Configure: {}}}}
    artifacts: {a: first.sh}
    interfaces:
      Care: {type: my.Care, inputs: {all: {type: string, default: x}}, feed: base.sh}
      Standard: {create: base.sh}
  my.Derived:
    derived_from: my.Base
    properties: {name: {default: derived}, port: {required: false, type: integer}}
    capabilities: {cap: {properties: {n: {default: 5}}}}
    requirements: [{peer: {occurrences: [0, UNBOUNDED]}}]
    artifacts: {b: second.sh}
    interfaces:
      Care: {operations: {feed: {inputs: {much: {type: integer, default: 2}}}}}
"""


def test_a_type_has_what_it_inherits_and_changes(types) -> None:
    known = types.read(NODE)
    derived = known.find("node", "my.Derived")
    assert derived.derived_from == ("my.Base", "tosca.nodes.Root")
    name, port = derived.properties["name"], derived.properties["port"]
    assert (name.type, name.default, len(name.constraints), port.required) == ("string", "derived", 1, False)
    assert {"tosca_id", "tosca_name", "state"} <= set(derived.attributes)
    cap = derived.capabilities["cap"]
    assert (cap.type, cap.properties["n"].default, cap.valid_source_types) == ("my.Cap", 5, ("my.Base",))
    assert cap.properties["n"].type == "integer"
    assert "feature" in derived.capabilities
    peer = derived.requirements["peer"]
    assert (peer.capability, peer.node, peer.relationship) == ("my.Cap", "my.Base", "tosca.relationships.DependsOn")
    assert (peer.occurrences, peer.relationship_interfaces) == ((0, None), {"Configure": {}})
    assert known.find("node", "my.Base").requirements["peer"].occurrences == (1, 1)
    assert {name: each.content for name, each in derived.artifacts.items()} == {"a": "first.sh", "b": "second.sh"}
    assert types.report.faults == types.report.warnings == []


def test_an_operation_has_what_each_type_says_of_it(types) -> None:
    care = types.read(NODE).find("node", "my.Derived").interfaces["Care"]
    assert care.type == "my.Care"
    assert list(care.operations) == ["feed", "wash"]
    described, base, derived = (each.content for each in care.operations["feed"])
    assert (described, base) == ({}, "base.sh")
    assert list(derived["inputs"]) == ["much"]
    assert care.inputs["all"]["default"] == "x"
    standard = types.read(NODE).find("node", "my.Derived").interfaces["Standard"]
    assert set(standard.operations) == {"create", "configure", "start", "stop", "delete"}


@pytest.mark.parametrize(
    ("kind", "short", "full"),
    [
        ("node", "Compute", "tosca.nodes.Compute"),
        ("node", "tosca:Compute", "tosca.nodes.Compute"),
        ("node", "network.Port", "tosca.nodes.network.Port"),
        ("node", "tosca:Port", "tosca.nodes.network.Port"),
        ("node", "Storage.BlockStorage", "tosca.nodes.Storage.BlockStorage"),
        ("capability", "Endpoint.Admin", "tosca.capabilities.Endpoint.Admin"),
        ("relationship", "HostedOn", "tosca.relationships.HostedOn"),
        ("interface", "Standard", "tosca.interfaces.node.lifecycle.Standard"),
        ("interface", "tosca:Configure", "tosca.interfaces.relationship.Configure"),
        ("data", "PortSpec", "tosca.datatypes.network.PortSpec"),
        ("artifact", "Bash", "tosca.artifacts.Implementation.Bash"),
        ("policy", "Scaling", "tosca.policies.Scaling"),
        ("group", "Root", "tosca.groups.Root"),
    ],
)
def test_types_of_tosca_have_short_names(types, kind: Any, short: str, full: str) -> None:
    assert types.read().find(kind, short).name == full


def test_all_types_of_tosca_are_sound(types) -> None:
    known = types.read()
    for kind, section in _SECTIONS.items():
        for name in normative.normative()[section]:
            assert known.find(kind, name).name == name
    assert types.report.faults == []


def test_a_type_of_the_template_goes_before_one_of_tosca(types) -> None:
    known = types.read("node_types: {tosca.nodes.Compute: {derived_from: tosca.nodes.Root, properties: {p: string}}}")
    assert list(known.find("node", "tosca.nodes.Compute").properties) == ["p"]


def test_namespaces_keep_types_apart(types) -> None:
    types.file("lib.yaml", "node_types: {T: {derived_from: tosca.nodes.Root, properties: {lib: string}}}")
    known = types.read("""
    imports: [{file: lib.yaml, namespace_prefix: l}]
    node_types: {T: {derived_from: tosca.nodes.Root}, U: {derived_from: "l:T"}}
    """)
    assert list(known.find("node", "T").properties) == []
    assert list(known.find("node", "U").properties) == ["lib"]
    assert list(known.find("node", "T", str(types.folder / "lib.yaml")).properties) == ["lib"]


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("node_types: {A: {derived_from: B}}", "derives from B, an unknown node type"),
        ("node_types: {A: {derived_from: B}, B: {derived_from: A}}", "derives from itself: A → B → A"),
        ("node_types: {A: {derived_from: [B]}}", "must be a text, but is a list"),
        ("node_types: {A: {properties: {p: {type: Nothing}}}}", "is of an unknown type Nothing"),
        ("node_types: {A: {properties: {p: {type: list, entry_schema: Nothing}}}}", "is of an unknown type Nothing"),
        ("node_types: {A: {capabilities: {c: Nothing}}}", "unknown capability type Nothing"),
        ("node_types: {A: {capabilities: {c: {}}}}", "a capability needs a type"),
        ("node_types: {A: {capabilities: {c: {type: Root, occurrences: [2, 1]}}}}", "must be [least, most]"),
        ("node_types: {A: {requirements: [{r: {node: Root}}]}}", "a requirement needs a capability"),
        ("node_types: {A: {interfaces: {I: {type: Nothing}}}}", "unknown interface type Nothing"),
        ("data_types: {A: {derived_from: Nothing}}", "derives from Nothing, an unknown data type"),
        ("relationship_types: {A: {properties: [p]}}", "must be a map, but is a list"),
    ],
)
def test_what_is_wrong_with_a_type_is_told_where_it_stands(types, text: str, because: str) -> None:
    faults = types.faults(text)
    assert any(because in each for each in faults), faults
    assert all("types.yaml:2" in each for each in faults)


@pytest.mark.parametrize("section", list(_SECTIONS.values()))
@pytest.mark.parametrize("odd", ["7", "x", "[]", "[[1]]", "{a: 7}", "{a: [b]}", "{a: {a: {a: 7}}}", "[{a: 1, b: 2}]"])
def test_any_part_of_a_type_may_be_of_any_shape(types, section: str, odd: str) -> None:
    keys = (
        "properties",
        "attributes",
        "capabilities",
        "requirements",
        "interfaces",
        "artifacts",
        "inputs",
        "operations",
    )
    for key in (*keys, "derived_from", "description", "constraints", "entry_schema", "valid_source_types", "type"):
        try:
            types.read(f"{section}: {{A: {{{key}: {odd}}}}}")
        except ToscaError:
            continue


def test_a_long_chain_of_types_is_built(types) -> None:
    lines = ["node_types:", "  T0: {derived_from: tosca.nodes.Root}"]
    lines += [f"  T{number}: {{derived_from: T{number - 1}}}" for number in range(1, 2000)]
    known = types.read("\n".join(lines))
    assert len(known.find("node", "T1999").derived_from) == 2000


def test_without_the_extra_it_is_said_what_to_install(types, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normative, "_FILES", (("nobody_has_this_package", "types.yaml"),))
    normative.normative.cache_clear()
    try:
        with pytest.raises(ToscaError, match=r"pip install 'gorchestrator-oaas\[tosca\]'"):
            types.read().find("node", "Compute")
    finally:
        normative.normative.cache_clear()
