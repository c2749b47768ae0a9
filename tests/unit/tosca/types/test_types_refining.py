"""What a type says anew of what it inherits: only that changes, wherever both types stand."""

from typing import Any

import pytest

BASE = """
data_types: {my.Port: {derived_from: PortDef}}
capability_types:
  my.Cap:
    derived_from: tosca.capabilities.Root
    properties: {n: {type: integer, default: 1}, m: {type: integer, default: 2}}
    attributes: {seen: {type: integer}}
  my.Sub: {derived_from: my.Cap, properties: {m: {default: 3}}}
  my.Other: {derived_from: tosca.capabilities.Root}
interface_types:
  my.Care: {derived_from: tosca.interfaces.Root, inputs: {all: {type: string}}, operations: {feed: {}, wash: {}}}
  my.More:
    derived_from: my.Care
    inputs: {more: {type: string}}
    operations: {feed: {inputs: {much: {type: integer}}}, walk: {}}
node_types:
  Base:
    derived_from: tosca.nodes.Root
    properties:
      p: {type: my.Port, description: first, required: false, constraints: [{less_than: 100}], default: 80}
      words: {type: list, entry_schema: string, default: [a]}
    attributes: {a: {type: string, default: x}}
    capabilities: {cap: {type: my.Cap, properties: {n: {default: 5}}, valid_source_types: [Base]}}
    requirements:
      - peer:
          capability: my.Cap
          node: Base
          relationship: DependsOn
          node_filter: {properties: []}
          occurrences: [0, 3]
    interfaces: {Care: {type: my.Care, operations: {feed: base.sh}}}
"""


def derived(types: Any, text: str) -> Any:
    """Return a node type that derives from Base, without any fault."""
    found = types.read(f"{BASE}  Derived: {{derived_from: Base, {text}}}\n").find("node", "Derived")
    assert types.report.faults == []
    return found


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("", {}),
        ("my.Port", {}),
        ("{default: 81}", {"default": 81}),
        ("{value: 81}", {"default": 81}),
        ("82", {"default": 82}),
        ("{required: true}", {"required": True}),
        ("{description: second}", {"description": "second"}),
        ("{constraints: []}", {"constraints": ()}),
        ("{type: integer}", {"type": "integer", "default": None, "description": "", "constraints": ()}),
    ],
)
def test_a_property_is_refined(types, written: str, changed: dict[str, Any]) -> None:
    found = derived(types, f"properties: {{p: {written}}}").properties["p"]
    expected = {"type": "my.Port", "default": 80, "required": False, "description": "first"} | changed
    if "type" in changed:
        expected["required"] = True
    assert {key: getattr(found, key) for key in expected} == expected
    assert len(found.constraints) == (0 if "constraints" in changed else 1)


def test_a_list_and_an_attribute_are_refined(types) -> None:
    found = derived(types, "properties: {words: [b, c]}, attributes: {a: {default: y}, b: integer}")
    assert (found.properties["words"].default, found.properties["words"].entry_schema.type) == (["b", "c"], "string")
    assert (found.attributes["a"].type, found.attributes["a"].default) == ("string", "y")
    assert found.attributes["b"].type == "integer"


@pytest.mark.parametrize(
    ("written", "kind", "defaults", "sources"),
    [
        ("{properties: {m: {default: 6}}}", "my.Cap", {"n": 5, "m": 6}, ("Base",)),
        ("{type: my.Cap, properties: {m: 6}}", "my.Cap", {"n": 5, "m": 6}, ()),
        ("my.Sub", "my.Sub", {"n": 5}, ()),
        ("{type: my.Other, properties: {k: integer}}", "my.Other", {"k": None}, ()),
        ("{valid_source_types: Derived}", "my.Cap", {"n": 5}, ("Derived",)),
        ("{occurrences: [1, 2], description: text}", "my.Cap", {"n": 5}, ("Base",)),
    ],
)
def test_a_capability_is_refined(
    types, written: str, kind: str, defaults: dict[str, Any], sources: tuple[str, ...]
) -> None:
    cap = derived(types, f"capabilities: {{cap: {written}}}").capabilities["cap"]
    assert (cap.type, cap.valid_source_types) == (kind, sources)
    assert {name: each.default for name, each in cap.properties.items()} == defaults
    assert all(each.type == "integer" for each in cap.properties.values())


def test_a_capability_that_derives_says_more_than_its_type(types) -> None:
    cap = derived(types, "capabilities: {cap: {attributes: {seen: {default: 4}, other: string}}}").capabilities["cap"]
    assert {name: (each.type, each.default) for name, each in cap.attributes.items()} == {
        "seen": ("integer", 4),
        "other": ("string", None),
    }


@pytest.mark.parametrize(
    ("written", "changed"),
    [
        ("{}", {}),
        ("{node: Compute}", {"node": "tosca.nodes.Compute"}),
        ("{capability: my.Sub}", {"capability": "my.Sub"}),
        ("my.Sub", {"capability": "my.Sub"}),
        ("{relationship: HostedOn}", {"relationship": "tosca.relationships.HostedOn"}),
        ("{relationship: {type: HostedOn}}", {"relationship": "tosca.relationships.HostedOn"}),
        ("{relationship: {interfaces: {Configure: {}}}}", {"relationship_interfaces": {"Configure": {}}}),
        ("{occurrences: [1, UNBOUNDED]}", {"occurrences": (1, None)}),
        ("{occurrences: 2}", {"occurrences": (2, 2)}),
        ("{node_filter: {capabilities: []}}", {"node_filter": {"capabilities": []}}),
    ],
)
def test_a_requirement_is_refined(types, written: str, changed: dict[str, Any]) -> None:
    peer = derived(types, f"requirements: [{{peer: {written}}}]").requirements["peer"]
    expected = {
        "capability": "my.Cap",
        "node": "Base",
        "relationship": "tosca.relationships.DependsOn",
        "relationship_interfaces": None,
        "node_filter": {"properties": []},
        "occurrences": (0, 3),
    }
    assert {key: getattr(peer, key) for key in expected} == expected | changed


@pytest.mark.parametrize("occurrences", ["[2, 1]", "[-1, 1]", "[1]", "[true, 1]", "[a, b]", "UNBOUNDED", "-1", "{}"])
def test_occurrences_that_are_none(types, occurrences: str) -> None:
    faults = types.faults(
        f"node_types: {{A: {{requirements: [{{r: {{capability: Node, occurrences: {occurrences}}}}}]}}}}"
    )
    assert len(faults) == 1
    assert "types.yaml:2: node_types.A.requirements[0].r.occurrences: must be [least, most]" in faults[0]


@pytest.mark.parametrize(
    "written", ["{wash: own.sh}", "{operations: {wash: own.sh}}", "{operations: {wash: {implementation: own.sh}}}"]
)
def test_an_interface_keeps_its_type_in_both_notations(types, written: str) -> None:
    care = derived(types, f"interfaces: {{Care: {written}}}").interfaces["Care"]
    assert care.type == "my.Care"
    assert list(care.operations) == ["feed", "wash"]
    assert [each.content for each in care.operations["feed"]] == [{}, "base.sh"]
    assert care.operations["wash"][-1].content in ("own.sh", {"implementation": "own.sh"})
    assert list(care.inputs) == ["all"]


def test_an_interface_of_a_derived_type_has_what_both_say(types) -> None:
    care = derived(types, "interfaces: {Care: {type: my.More, inputs: {all: {default: x}}}}").interfaces["Care"]
    assert care.type == "my.More"
    assert {name: [each.content for each in layers] for name, layers in care.operations.items()} == {
        "feed": [{}, {"inputs": {"much": {"type": "integer"}}}, "base.sh"],
        "wash": [{}],
        "walk": [{}],
    }
    assert care.inputs == {"all": {"default": "x"}, "more": {"type": "string"}}


def test_an_interface_is_known_by_the_name_of_a_type_only_where_none_is_said(types) -> None:
    known = types.read("""
    interface_types:
      my.Standard: {derived_from: tosca.interfaces.node.lifecycle.Standard, operations: {check: {}}}
    node_types:
      A: {derived_from: tosca.nodes.Root, interfaces: {Standard: {type: my.Standard}, Own: {go: a.sh}}}
      B: {derived_from: A, interfaces: {Standard: {operations: {create: b.sh}}, Own: {stop: b.sh}}}
    """)
    standard, own = (known.find("node", "B").interfaces[name] for name in ("Standard", "Own"))
    assert standard.type == "my.Standard"
    assert {"create", "check"} <= set(standard.operations)
    assert (own.type, list(own.operations)) == ("", ["go", "stop"])
    assert types.report.faults == []


def test_an_operation_gathers_inputs_of_all_levels(types) -> None:
    lines = ["node_types:", "  T0: {derived_from: tosca.nodes.Root, interfaces: {Standard: {create: a.sh}}}"]
    lines += [
        f"  T{level}: {{derived_from: T{level - 1}, "
        f"interfaces: {{Standard: {{operations: {{create: {{inputs: {{i{level}: {level}}}}}}}}}}}}}"
        for level in range(1, 4)
    ]
    create = types.read("\n".join(lines)).find("node", "T3").interfaces["Standard"].operations["create"]
    assert [each.content for each in create][1:] == [
        "a.sh",
        {"inputs": {"i1": 1}},
        {"inputs": {"i2": 2}},
        {"inputs": {"i3": 3}},
    ]
    assert [each.place.line for each in create][1:] == [3, 4, 5, 6]


def test_notifications_are_told_to_be_ignored(types) -> None:
    types.read("node_types: {A: {interfaces: {Standard: {notifications: {done: {outputs: {}}}}}}}")
    assert [each.text for each in types.report.warnings] == [
        "the notification done is ignored: nothing notifies the service"
    ]


def test_a_refined_property_has_the_type_of_the_file_that_names_it(types) -> None:
    types.file(
        "lib.yaml",
        """
        data_types: {T: {properties: {lib: string}}}
        capability_types: {C: {derived_from: tosca.capabilities.Root, properties: {p: {type: T}}}}
        node_types:
          N: {derived_from: tosca.nodes.Root, properties: {p: {type: T}}, capabilities: {c: C}}
        """,
    )
    known = types.read("""
    imports: [{file: lib.yaml, namespace_prefix: l}]
    data_types: {T: {properties: {root: string}}}
    capability_types: {C: {derived_from: tosca.capabilities.Root, properties: {p: integer}}}
    node_types:
      M:
        derived_from: l:N
        properties: {p: {required: false}}
        capabilities: {c: {properties: {p: {required: false}}}}
    """)
    found = known.find("node", "M")
    for refined in (found.properties["p"], found.capabilities["c"].properties["p"]):
        data = known.find("data", refined.type, refined.place.file)
        assert list(data.properties) == ["lib"]
        assert refined.required is False
    assert types.report.faults == []


def test_an_imported_type_is_found_without_its_prefix_where_there_is_one_only(types) -> None:
    types.file("lib.yaml", "node_types: {N: {derived_from: tosca.nodes.Root}}")
    known = types.read("imports: [{file: lib.yaml, namespace_prefix: l}]")
    assert known.find("node", "l:N") is known.find("node", "N") is known.find("node", "l.N")
    assert known.find("node", "k:N") is None


def test_prefixes_lead_through_imports_of_imports(types) -> None:
    types.file("inner.yaml", "node_types: {N: {derived_from: tosca.nodes.Root, properties: {inner: string}}}")
    types.file(
        "outer.yaml",
        """
        imports: [{file: inner.yaml, namespace_prefix: i}]
        node_types: {N: {derived_from: "i:N", properties: {outer: string}}}
        """,
    )
    known = types.read("""
    imports: [{file: outer.yaml, namespace_prefix: o}]
    node_types: {N: {derived_from: "o:N", properties: {own: string}}}
    """)
    assert list(known.find("node", "N").properties) == ["inner", "outer", "own"]
    assert list(known.find("node", "o:i:N").properties) == ["inner"]
    assert types.report.faults == []
