"""Whatever stands in types and values, and however much there is: faults with their places, soon, never a traceback."""

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gorchestrator.tosca.faults import Place, Report, ToscaError
from gorchestrator.tosca.reading.source import parse
from gorchestrator.tosca.types.checking import check
from gorchestrator.tosca.types.constraints import broken, read_constraints
from gorchestrator.tosca.types.scalars import Unfit
from gorchestrator.tosca.types.system import _SECTIONS
from gorchestrator.tosca.types.values import read_definition

SETTINGS = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def words(text: str) -> list[str]:
    return text.split()


WORDS = words("""
    A B C Root Compute Endpoint Standard DependsOn PortSpec Credential json string integer list map range version
    timestamp scalar-unit.size UNBOUNDED get_input token tosca: : . [ (a+)+ yes 1.0 2001-01-01 SELF
""")
KEYS = words("""
    type derived_from properties attributes capabilities requirements interfaces artifacts operations inputs
    constraints default value required entry_schema key_schema capability node relationship node_filter occurrences
    valid_source_types file implementation primary notifications equal in_range valid_values pattern length
    greater_than schema metadata description targets members A B C a b
""")
ATOMS = st.none() | st.booleans() | st.integers(-3, 70000) | st.floats(-5, 5) | st.sampled_from(WORDS)
ANYTHING = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
TYPE = st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=5)
FILES = st.dictionaries(
    st.sampled_from(sorted(_SECTIONS.values())),
    st.dictionaries(st.sampled_from(["A", "B", "C", "tosca.nodes.Root"]), TYPE, max_size=3),
    max_size=4,
)
DEFINITIONS = st.fixed_dictionaries(
    {"type": st.sampled_from(WORDS)},
    optional={
        "constraints": ANYTHING,
        "entry_schema": ANYTHING,
        "key_schema": ANYTHING,
        "default": ANYTHING,
        "required": ANYTHING,
    },
)
OPERATORS = words("""
    equal greater_than greater_or_equal less_than less_or_equal length min_length max_length in_range valid_values
    pattern schema nothing
""")


@SETTINGS
@given(content=FILES)
def test_types_of_any_shape(types, content: dict[str, Any]) -> None:
    with contextlib.suppress(ToscaError):
        types.read("\n" + json.dumps(content))
    for each in types.report.faults:
        assert "types.yaml" in each.place.file, each


@SETTINGS
@given(definition=DEFINITIONS, value=ANYTHING)
def test_values_and_definitions_of_any_shape(types, definition: Any, value: Any) -> None:
    types.checked(json.dumps(definition), json.dumps(value), "data_types: {A: {properties: {a: A}}, B: {type: list}}")
    assert all(each.place.line for each in types.report.faults)


@SETTINGS
@given(operator=st.sampled_from(OPERATORS), argument=ANYTHING, value=ANYTHING, kind=st.sampled_from(WORDS))
def test_constraints_of_any_shape(operator: str, argument: Any, value: Any, kind: str) -> None:
    report = Report()
    for each in read_constraints([{operator: argument}], Place("x"), report):
        with contextlib.suppress(Unfit):
            assert isinstance(broken(value, kind, each), str)


IN_TYPE = {
    "node": ["properties", "attributes", "capabilities", "requirements", "interfaces", "artifacts", "derived_from"],
    "capability": ["valid_source_types"],
    "data": ["constraints", "key_schema", "entry_schema", "type"],
}


@pytest.mark.parametrize(("kind", "section"), [(kind, each) for kind, sections in IN_TYPE.items() for each in sections])
@pytest.mark.parametrize("odd", ["7", "true", "[[1]]", "[{a: 1, b: 2}]", "{a: 7}", "{a: [b]}"])
def test_a_shape_that_is_wrong_is_told_with_its_place(types, kind: str, section: str, odd: str) -> None:
    base = "derived_from: map, " if kind == "data" and section != "type" else ""
    types.read(f"{kind}_types:\n  A:\n    {{{base}\n    {section}: {odd}}}")
    for each in types.report.faults:
        assert each.place.line == 5
        assert each.place.path[:3] == (f"{kind}_types", "A", section)


@pytest.mark.parametrize(
    ("section", "odd", "because"),
    [
        ("properties", "[a]", "node_types.A.properties: must be a map, but is a list"),
        ("properties", "{p: 7}", "node_types.A.properties.p: must be a map with a type, or the name of one"),
        ("properties", "{p: {type: 7}}", "node_types.A.properties.p.type: must be a text, but is a number"),
        ("attributes", "text", "node_types.A.attributes: must be a map, but is a text"),
        ("capabilities", "7", "node_types.A.capabilities: must be a map, but is a number"),
        ("capabilities", "{c: [a]}", "node_types.A.capabilities.c: must be a map, but is a list"),
        ("capabilities", "{c: {type: Node, properties: [a]}}", "capabilities.c.properties: must be a map"),
        ("requirements", "7", "node_types.A.requirements: must be a list, but is a number"),
        ("requirements", "[text]", "node_types.A.requirements[0]: must be a map with one key, its name"),
        ("requirements", "[{r: [a]}]", "node_types.A.requirements[0].r: must be a map, but is a list"),
        ("requirements", "[{r: {capability: [a]}}]", "requirements[0].r.capability: must be a text, but is a list"),
        ("requirements", "[{r: {capability: a, relationship: [a]}}]", "r.relationship: must be a text, but is a list"),
        ("interfaces", "[a]", "node_types.A.interfaces: must be a map, but is a list"),
        ("interfaces", "{I: run.sh}", "node_types.A.interfaces.I: must be a map, but is a text"),
        ("interfaces", "{I: {operations: [a]}}", "interfaces.I.operations: must be a map, but is a list"),
        ("interfaces", "{I: {inputs: [a]}}", "interfaces.I.inputs: must be a map, but is a list"),
        ("interfaces", "{I: {type: {}}}", "interfaces.I.type: must be a text, but is a map"),
        ("artifacts", "[a]", "node_types.A.artifacts: must be a map, but is a list"),
        ("derived_from", "7", "node_types.A.derived_from: must be a text, but is a number"),
    ],
)
def test_the_fault_names_the_part(types, section: str, odd: str, because: str) -> None:
    faults = types.faults(f"node_types: {{A: {{{section}: {odd}}}}}")
    assert any(because in each for each in faults), faults


@pytest.mark.parametrize("kind", ["capability", "data", "artifact", "relationship"])
def test_a_type_within_itself_has_an_end(types, kind: str) -> None:
    types.read(f"{kind}_types: {{A: {{capabilities: {{c: A}}, requirements: [{{r: A}}], artifacts: {{a: A}}}}}}")
    assert types.report.faults == []
    ignored = {each.place.path[-1] for each in types.report.warnings}
    assert {"capabilities", "requirements", "artifacts"} == ignored


def test_defaults_that_multiply_have_an_end(types) -> None:
    names = [f"T{level}" for level in range(60)]
    lines = ["data_types:"] + [
        f"  {name}: {{properties: {{a: {{type: {inner}, default: {{}}}}, b: {{type: {inner}, default: {{}}}}}}}}"
        for name, inner in zip(names, [*names[1:], "T59"], strict=True)
    ]
    known = types.read("\n".join(lines))
    definition = read_definition("d", "T0", Place("types.yaml", 1), types.report)
    begin = time.monotonic()
    check({}, definition, Place("types.yaml", 1), known, types.report)
    assert time.monotonic() - begin < 30
    assert any("is filled in more than 100000 times" in each.text for each in types.report.faults)


def test_many_values_with_defaults_are_fine(types) -> None:
    given = ", ".join(["{}"] * 5000)
    found = types.checked("{type: list, entry_schema: PortSpec}", f"[{given}]")
    assert len(found) == 5000
    assert types.report.faults == []


def test_a_type_that_derives_from_itself_is_told_once_for_each(types) -> None:
    lines = [f"  T{number}: {{derived_from: T{(number + 1) % 50}}}" for number in range(50)]
    faults = types.faults("\n".join(["node_types:", *lines]))
    assert len(faults) == 1
    assert "derives from itself: T0 → T1 → " in faults[0]


def test_patterns_are_bounded_in_time(types) -> None:
    begin = time.monotonic()
    types.checked("{type: string, constraints: [{pattern: '(a+)+b'}]}", "a" * 4000)
    types.checked("{type: string, constraints: [{pattern: 'a*'}]}", "a" * 5000)
    assert time.monotonic() - begin < 10
    assert ["too long for a pattern" in each.text for each in types.report.faults] == [True]


@pytest.mark.parametrize(
    "pattern", [r"\\p{L}+", "[[:alpha:]]+", "(?i)ABC", "(?P<a>a)bc", "^abc$", "(?=a)[[a]bc", "a(?<=a)bc"]
)
def test_patterns_of_several_dialects(types, pattern: str) -> None:
    types.checked(f'{{type: string, constraints: [{{pattern: "{pattern}"}}]}}', "abc")
    assert types.report.faults == []


def test_a_document_within_a_definition_keeps_its_places(types) -> None:
    raw = parse(b"d:\n  type: map\n  entry_schema:\n    type: list\n    entry_schema:\n      type: 7\n", "x.yaml")
    read_definition("d", raw["d"], raw.at("d"), types.report)
    assert [str(each) for each in types.report.faults] == [
        "x.yaml:6: d.entry_schema.entry_schema.type: must be a text, but is a number"
    ]
