"""YAML with positions: what is read, where it stands, and what is refused."""

import pytest

from gorchestrator.tosca.faults import ToscaError
from gorchestrator.tosca.reading.source import MAX_DEPTH, MAX_REPEATED, Number, parse


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(ToscaError) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), "t.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_every_part_knows_its_line_and_its_path() -> None:
    read = parse(b"a:\n  b:\n    - 1\n    - c: 2\n\n  d: {e: 3}\n", "t.yaml")
    assert read == {"a": {"b": [1, {"c": 2}], "d": {"e": 3}}}
    assert str(read["a"].place) == "t.yaml:1: a"
    assert str(read["a"].at("b")) == "t.yaml:2: a.b"
    assert str(read["a"]["b"].place) == "t.yaml:2: a.b"
    assert str(read["a"]["b"].at(0)) == "t.yaml:3: a.b[0]"
    assert str(read["a"]["b"][1].at("c")) == "t.yaml:4: a.b[1].c"
    assert str(read["a"]["d"].at("e")) == "t.yaml:6: a.d.e"


def test_what_is_missing_has_the_place_of_its_owner() -> None:
    read = parse(b"a:\n  b: []\n", "t.yaml")
    assert str(read["a"].at("c")) == "t.yaml:1: a.c"
    assert str(read["a"]["b"].at(7)) == "t.yaml:2: a.b[7]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("0x1f", 31),
        ("0o17", 15),
        ("017", 17),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("No", False),
        ("on", True),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"yes"', "yes"),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("2001-01-01", "2001-01-01"),
        ("22:22", "22:22"),
        ("1_000", "1_000"),
        ("1e999", "1e999"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_scalars_follow_yaml_1_2_with_the_booleans_of_practice(text: str, value: object) -> None:
    read = parse(f"a: {text}".encode(), "t.yaml")["a"]
    assert read == value
    assert isinstance(read, type(value))


def test_a_number_knows_how_it_was_written() -> None:
    version = parse(b"version: 1.10", "t.yaml")["version"]
    assert isinstance(version, Number)
    assert (version, version.text) == (1.1, "1.10")


def test_keys_are_text_as_written() -> None:
    assert list(parse(b"1: a\n1.10: b\non: c\n~: d\n", "t.yaml")) == ["1", "1.10", "on", "~"]


def test_aliases_and_merges_are_repeated_at_their_own_paths() -> None:
    text = b"base: &base\n  x: 1\n  y: [1, {z: 2}]\nmore:\n  <<: *base\n  x: 5\nagain: *base\nlist: [*base]\n"
    read = parse(text, "t.yaml")
    assert read["more"] == {"x": 5, "y": [1, {"z": 2}]}
    assert read["again"] == read["base"] == read["list"][0]
    assert str(read["more"]["y"][1].at("z")) == "t.yaml:3: more.y[1].z"
    assert str(read["again"]["y"].place) == "t.yaml:3: again.y"
    assert read["again"] is not read["base"]


def test_a_list_of_merges_prefers_the_first() -> None:
    read = parse(b"a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {<<: [*a, *b]}\n", "t.yaml")
    assert read["c"] == {"x": 1, "y": 2}


def test_all_keys_that_are_there_twice_are_told_with_their_lines() -> None:
    assert refused("a:\n  b: 1\n  c: 2\n  b: 3\na: 4\n") == [
        "t.yaml:4: a.b: this key is there twice; the first is in line 2",
        "t.yaml:5: a: this key is there twice; the first is in line 1",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "t.yaml: this file is empty"),
        ("# nothing\n", "t.yaml: this file is empty"),
        ("- a\n", "t.yaml:1: a map is expected here: this is no TOSCA template"),
        ("text", "t.yaml:1: a map is expected here: this is no TOSCA template"),
        ("a: 1\n---\nb: 2\n", "t.yaml:2: a second YAML document begins here: one is expected"),
        ("a: *b\n", "t.yaml:1: a: the alias *b has no anchor, or stands before or within it"),
        ("a: &a [*a]\n", "t.yaml:1: a[0]: the alias *a has no anchor, or stands before or within it"),
        ("a:\n  ? [b]\n  : c\n", "t.yaml:2: a: a key must be a text"),
        ("a: 1\nb: !!python/object:os.system x\n", "t.yaml:2: b: the YAML tag !!python/object:os.system means nothing"),
        ("a: !mine {b: 1}\n", "t.yaml:1: a: the YAML tag !mine means nothing"),
        ("a: {<<: 5}\n", "t.yaml:1: a.<<: << takes a map, or a list of maps"),
        ("a: 1\nb: [\n", "t.yaml:3: this is not valid YAML"),
        ("a: b: c\n", "t.yaml:1: this is not valid YAML"),
        (b"a: 1\nb: \xff\xfe\n", "t.yaml:2: this is not text in UTF-8"),
        (b"a: \x00\n", "this is not valid YAML"),
    ],
)
def test_what_cannot_be_read_is_named(text: str | bytes, told: str) -> None:
    assert any(told in line for line in refused(text))


@pytest.mark.parametrize("text", ["\ufeffa: 1".encode(), "a: 1".encode("utf-16")], ids=["utf-8 with a mark", "utf-16"])
def test_marks_of_encodings_are_known(text: bytes) -> None:
    assert parse(text, "t.yaml") == {"a": 1}


@pytest.mark.parametrize("text", ["a: " + "[" * 50_000, "a: " + "{a: " * 50_000, "- " * 50_000])
def test_deep_nesting_is_refused(text: str) -> None:
    assert f"this is nested deeper than {MAX_DEPTH} levels" in refused(text)[0]


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 30)]
    assert f"aliases repeat more than {MAX_REPEATED} values" in refused("\n".join(lines))[0]


def test_aliases_that_nest_by_repeating_are_refused() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200))]
    assert "deeper than" in refused("\n".join(lines))[0]
