"""Values of each type: what is taken, what it becomes, and what is refused with its place."""

from typing import Any

import pytest

CONTACT = """
data_types:
  my.Text: {derived_from: string, constraints: [{min_length: 2}]}
  my.Short: {derived_from: my.Text, constraints: [{max_length: 4}]}
  my.Base: {properties: {name: {type: my.Text}, size: {type: integer, default: 3}}}
  my.Contact:
    derived_from: my.Base
    properties:
      phones: {type: list, entry_schema: string, required: false}
      ports: {type: map, key_schema: my.Text, entry_schema: {type: tosca.datatypes.network.PortDef}, required: false}
  my.Endless: {properties: {next: {type: my.Endless, default: {}}}}
"""


@pytest.mark.parametrize(
    ("definition", "value", "expected"),
    [
        ("string", "abc", "abc"),
        ("string", "0640", "0640"),
        ("string", "1.10", "1.10"),
        ("string", "0x1F", "0x1F"),
        ("integer", "7", 7),
        ("integer", '"-7"', -7),
        ("integer", "yes", 1),
        ("float", "1.5", 1.5),
        ("float", "2", 2),
        ("float", '"1e3"', 1000.0),
        ("boolean", "on", True),
        ("boolean", '"False"', False),
        ("timestamp", "2001-12-14T21:59:43.10-05:00", "2001-12-14T21:59:43.10-05:00"),
        ("timestamp", "2001-12-14", "2001-12-14"),
        ("version", "1.10", "1.10"),
        ("version", "12", "12"),
        ("version", "1.2.3.beta-4", "1.2.3.beta-4"),
        ("range", "[1, UNBOUNDED]", [1, "UNBOUNDED"]),
        ("scalar-unit.size", "10 mib", "10 mib"),
        ("scalar-unit.size", "1.5TB", "1.5TB"),
        ("scalar-unit.time", "5 ms", "5 ms"),
        ("scalar-unit.frequency", "0.1 GHz", "0.1 GHz"),
        ("scalar-unit.bitrate", "10 Mibps", "10 Mibps"),
        ("json", "{a: [1]}", {"a": [1]}),
        ("tosca.datatypes.json", "'{\"a\": 1}'", '{"a": 1}'),
        ("PortDef", "80", 80),
        ("tosca:PortDef", "80", 80),
        ("tosca.datatypes.xml", "<a/>", "<a/>"),
        ("{type: list, entry_schema: {type: integer}}", "[1, '2']", [1, 2]),
        ("{type: map, entry_schema: integer}", "{a: '1'}", {"a": 1}),
        ("{type: map}", "{a: [x]}", {"a": ["x"]}),
        ("integer", "{get_input: x}", {"get_input": "x"}),
        ("{type: list, entry_schema: integer}", "[{get_input: x}]", [{"get_input": "x"}]),
        ("my.Contact", "{name: ab}", {"name": "ab", "size": 3}),
        ("my.Contact", "{name: ab, ports: {ab: 80}}", {"name": "ab", "size": 3, "ports": {"ab": 80}}),
        ("my.Short", "abcd", "abcd"),
        ("tosca.datatypes.Credential", "{token: x}", {"token": "x", "token_type": "password"}),
        ("tosca.datatypes.Root", "{any: thing}", {"any": "thing"}),
    ],
)
def test_a_value_that_fits(types, definition: str, value: str, expected: Any) -> None:
    assert types.checked(definition, value, CONTACT) == expected
    assert types.report.faults == []


@pytest.mark.parametrize(
    ("definition", "value", "because"),
    [
        ("string", "yes", "must be a text, but is a boolean: quotes make it one"),
        ("string", "[a]", "must be a text, but is a list"),
        ("integer", "two", "must be an integer, but is 'two'"),
        ("integer", "1.5", "must be an integer, but is a number"),
        ("float", "yes", "must be a number"),
        ("boolean", "7", "must be true or false"),
        ("timestamp", "yesterday", "must be a time"),
        ("timestamp", "2001-13-14", "must be a time, but month must be in 1..12"),
        ("version", "one", "must be a version"),
        ("range", "[4, 1]", "4 is above 1"),
        ("range", "4", "must be a range"),
        ("scalar-unit.size", "10", "must be a number with a unit (B, GB"),
        ("scalar-unit.size", "10 MHz", "has an unknown unit"),
        ("scalar-unit.bitrate", "10 mbps", "has an unknown unit"),
        ("list", "{a: b}", "must be a list, but is a map"),
        ("map", "[a]", "must be a map, but is a list"),
        ("{type: list, entry_schema: integer}", "[1, x]", "must be an integer, but is 'x'"),
        ("{type: map, key_schema: {type: string, constraints: [{length: 2}]}}", "{abc: 1}", "has a length of 3"),
        ("my.Contact", "{nam: ab}", "my.Contact has no nam; there are name, phones, ports, size"),
        ("my.Contact", "{phones: []}", "my.Contact needs a value for name"),
        ("my.Contact", "{name: 12}", "must be a text, but is a number"),
        ("my.Contact", "text", "must be a my.Contact, a map, but is a text"),
        ("my.Contact", "{name: ab, ports: {ab: 70000}}", "70000 is not within 1 and 65535"),
        ("my.Short", "a", "has a length of 1"),
        ("my.Short", "abcde", "has a length of 5"),
        ("my.Endless", "{}", "is nested deeper than 100 levels"),
        ("my.Nothing", "1", "is of an unknown type my.Nothing"),
    ],
)
def test_a_value_that_does_not_fit(types, definition: str, value: str, because: str) -> None:
    types.checked(definition, value, CONTACT)
    assert any(because in str(each) for each in types.report.faults), types.report.faults
    assert all(each.place.line for each in types.report.faults)


@pytest.mark.parametrize(
    ("kind", "constraint", "good", "bad"),
    [
        ("integer", "{equal: 4}", "4", "5"),
        ("integer", "{greater_than: 4}", "5", "4"),
        ("float", "{greater_or_equal: 1.5}", "1.5", "1.4"),
        ("scalar-unit.size", "{less_than: 1 GB}", "999 MB", "1 GB"),
        ("scalar-unit.size", "{less_or_equal: 1 GiB}", "1 GB", "2 GB"),
        ("scalar-unit.size", "{equal: 1 GB}", "1000 MB", "1 GiB"),
        ("scalar-unit.time", "{in_range: [1 s, 1 m]}", "60 s", "61 s"),
        ("version", "{greater_than: 1.9}", "1.10", "1.9"),
        ("version", "{less_than: 1.0.0}", "1.0.0.beta", "1.0.0"),
        ("timestamp", "{greater_than: 2026-01-01T00:00:00Z}", "2026-01-01T01:00:00+00:30", "2026-01-01T01:00:00+01:30"),
        ("range", "{in_range: [1, 10]}", "[2, 10]", "[2, 11]"),
        ("range", "{in_range: [1, UNBOUNDED]}", "[2, UNBOUNDED]", "[0, 4]"),
        ("string", "{valid_values: [a, 1]}", "'1'", "b"),
        ("string", "{pattern: 'a+b'}", "aab", "aabc"),
        ("string", "{pattern: '(?=a)a'}", "a", "b"),
        ("string", "{length: 2}", "ab", "abc"),
        ("list", "{max_length: 1}", "[1]", "[1, 2]"),
        ("boolean", "{equal: true}", "true", "false"),
    ],
)
def test_each_constraint(types, kind: str, constraint: str, good: str, bad: str) -> None:
    definition = f"{{type: {kind}, constraints: [{constraint}]}}"
    types.checked(definition, good)
    assert types.report.faults == []
    types.checked(definition, bad)
    assert len(types.report.faults) == 1


@pytest.mark.parametrize(
    ("definition", "because"),
    [
        ("{type: integer, constraints: [{in_range: 4}]}", "in_range needs a list of a lower and an upper bound"),
        ("{type: integer, constraints: [{valid_values: 4}]}", "valid_values needs a list of values"),
        ("{type: string, constraints: [{length: two}]}", "length needs an integer"),
        ("{type: string, constraints: [{pattern: '['}]}", "pattern needs a regular expression"),
        ("{type: string, constraints: [{biggest: 4}]}", "unknown constraint biggest"),
        ("{type: string, constraints: 4}", "must be a list, but is a number"),
        ("{type: string, required: maybe}", "must be true or false, but is a text"),
        ("{type: [string]}", "must be a text, but is a list"),
        ("{description: nothing}", "needs a type"),
        ("[string]", "must be a map with a type"),
        ("{type: integer, constraints: [{greater_than: many}]}", "must be an integer, but is 'many'"),
        ("{type: boolean, constraints: [{greater_than: 4}]}", "greater_than is not for boolean"),
    ],
)
def test_a_definition_that_is_none(types, definition: str, because: str) -> None:
    types.checked(definition, "true" if "boolean" in definition else "7")
    assert any(because in str(each) for each in types.report.faults), types.report.faults


def test_what_is_ignored_of_a_definition_is_told(types) -> None:
    types.checked("{type: string, requird: true, constraints: [{schema: '{}'}]}", "a")
    assert [each.text for each in types.report.warnings] == [
        "unknown key requird is ignored; is it required?",
        "ignored: a value is not checked against a schema",
    ]


def test_schemas_within_schemas_have_an_end(types) -> None:
    definition = "string"
    for _ in range(30):
        definition = f"{{type: list, entry_schema: {definition}}}"
    types.checked(definition, "[]")
    assert any("schemas are nested deeper than 20 levels" in str(each) for each in types.report.faults)
