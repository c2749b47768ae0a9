"""Each scalar type: what it takes, the form that it gives, and the order of its values."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gorchestrator.tosca.reading.scalars import resolve
from gorchestrator.tosca.types.scalars import _TYPES, Unfit, is_scalar, scalar

UNITS = {
    "size": {
        "B": 1,
        "kB": 1000,
        "KiB": 1024,
        "MB": 1000**2,
        "MiB": 1024**2,
        "GB": 1000**3,
        "GiB": 1024**3,
        "TB": 1000**4,
        "TiB": 1024**4,
    },
    "time": {
        "d": 86400,
        "h": 3600,
        "m": 60,
        "s": 1,
        "ms": Fraction(1, 1000),
        "us": Fraction(1, 1000**2),
        "ns": Fraction(1, 1000**3),
    },
    "frequency": {"Hz": 1, "kHz": 1000, "MHz": 1000**2, "GHz": 1000**3},
    "bitrate": {
        "bps": 1,
        "Kbps": 1000,
        "Kibps": 1024,
        "Mbps": 1000**2,
        "Mibps": 1024**2,
        "Gbps": 1000**3,
        "Gibps": 1024**3,
        "Tbps": 1000**4,
        "Tibps": 1024**4,
        "Bps": 8,
        "KBps": 8000,
        "KiBps": 8 * 1024,
        "MBps": 8 * 1000**2,
        "MiBps": 8 * 1024**2,
        "GBps": 8 * 1000**3,
        "GiBps": 8 * 1024**3,
        "TBps": 8 * 1000**4,
        "TiBps": 8 * 1024**4,
    },
}


@pytest.mark.parametrize(
    ("kind", "unit", "worth"), [(kind, unit, worth) for kind, units in UNITS.items() for unit, worth in units.items()]
)
def test_each_unit(kind: str, unit: str, worth: Fraction) -> None:
    for written, number in (("1", 1), ("2.5", Fraction(5, 2)), (".5", Fraction(1, 2)), ("1e3", 1000), ("0", 0)):
        for gap in ("", " ", "   "):
            assert scalar(f"scalar-unit.{kind}", f"{written}{gap}{unit}").rank == worth * number


@pytest.mark.parametrize("kind", ["size", "time", "frequency"])
def test_the_case_of_a_unit_makes_no_difference_where_there_is_none(kind: str) -> None:
    for unit, worth in UNITS[kind].items():
        assert scalar(f"scalar-unit.{kind}", f"1 {unit.lower()}").rank == worth
        assert scalar(f"scalar-unit.{kind}", f"1 {unit.upper()}").rank == worth


@pytest.mark.parametrize("written", ["1", "MB", "-1 MB", "1 MB 2", "1,5 MB", "1 m b", "1 YB", "", "MB 1", "1.2.3 MB"])
@pytest.mark.parametrize("kind", list(UNITS))
def test_an_amount_that_is_none(kind: str, written: str) -> None:
    with pytest.raises(Unfit, match=r"must be a number with a unit|has an unknown unit"):
        scalar(f"scalar-unit.{kind}", written)


VERSIONS = [
    "0",
    "0.9",
    "1.0.0.alpha-1",
    "1.0.0.alpha-2",
    "1.0.0.beta",
    "1.0.0",
    "1.0.1",
    "1.2",
    "1.10",
    "1.10.0.9",
    "2",
]


def test_versions_have_an_order() -> None:
    ranks = [scalar("version", each).rank for each in VERSIONS if each != "1.10.0.9"]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert scalar("version", "1.10.0.9").rank < scalar("version", "1.10").rank
    assert scalar("version", "1.0").rank == scalar("version", "1.0.0").rank == scalar("version", 1).rank


@pytest.mark.parametrize(
    "written", ["v1", "1.", ".1", "1..2", "1.2.3-4", "1.2.3.a-b", "1.2.3.4.5", "1.a", "-1", "", " 1"]
)
def test_a_version_that_is_none(written: str) -> None:
    with pytest.raises(Unfit, match="must be a version"):
        scalar("version", written)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2001-12-15T02:59:43.1Z", "2001-12-14t21:59:43.10-05:00"),
        ("2001-12-15T02:59:43.1Z", "2001-12-14 21:59:43.10 -5"),
        ("2001-12-15T02:59:43.1Z", "2001-12-15 2:59:43.10"),
        ("2002-12-14", "2002-12-14T00:00:00Z"),
        ("2002-12-14T00:00:00+05:30", "2002-12-13T18:30:00Z"),
        ("2002-12-14T00:00:00-0330", "2002-12-14T03:30:00Z"),
    ],
)
def test_times_of_all_notations_are_the_same(first: str, second: str) -> None:
    assert scalar("timestamp", first).rank == scalar("timestamp", second).rank
    assert scalar("timestamp", first).value == first


@pytest.mark.parametrize(
    "written", ["12:00", "2001-1", "2001-02-30", "2001-01-01T25:00:00", "0000-01-01", "2001-01-01T00:00", "", "9" * 50]
)
def test_a_time_that_is_none(written: str) -> None:
    with pytest.raises(Unfit, match="must be a time"):
        scalar("timestamp", written)


@pytest.mark.parametrize(
    ("kind", "plain", "value"),
    [
        ("string", "0640", "0640"),
        ("string", "0o640", "0o640"),
        ("string", "+7", "+7"),
        ("string", "1.50", "1.50"),
        ("string", "1e3", "1e3"),
        ("string", "12", "12"),
        ("string", "2001-12-14", "2001-12-14"),
        ("integer", "0640", 640),
        ("integer", "0o640", 0o640),
        ("integer", "0x1F", 31),
        ("integer", "+7", 7),
        ("version", "0640", "0640"),
        ("version", "1.20", "1.20"),
        ("float", "-0.0", -0.0),
        ("boolean", "TRUE", True),
    ],
)
def test_plain_values_of_yaml(kind: str, plain: str, value: Any) -> None:
    found = scalar(kind, resolve(plain), lenient=True).value
    assert (found, type(found)) == (value, type(value)) or (kind == "float" and found == value)


def test_a_number_is_a_text_only_where_that_is_lenient() -> None:
    assert scalar("string", 7, lenient=True).value == "7"
    with pytest.raises(Unfit, match="must be a text, but is a number: quotes make it one"):
        scalar("string", 7)
    with pytest.raises(Unfit, match="must be a text, but is a boolean"):
        scalar("string", True, lenient=True)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, "1e999", "-1e999"])
def test_a_number_that_no_json_can_hold(value: Any) -> None:
    with pytest.raises(Unfit, match="must be a number that a computer can hold"):
        scalar("float", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1, 2], [1, 2]),
        (["1", "UNBOUNDED"], [1, "UNBOUNDED"]),
        (["UNBOUNDED", "UNBOUNDED"], ["UNBOUNDED", "UNBOUNDED"]),
        ([3, 3], [3, 3]),
    ],
)
def test_a_range(value: Any, expected: list[Any]) -> None:
    assert scalar("range", value).value == expected


@pytest.mark.parametrize("value", [[1], [1, 2, 3], [2, 1], ["a", 1], [1, "unbounded"], "1-2", {}, None, 5, [[1], 2]])
def test_a_range_that_is_none(value: Any) -> None:
    with pytest.raises(Unfit, match=r"must be a range|must be an integer"):
        scalar("range", value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.text("0123456789.-:eTZ +GB"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(kind=st.sampled_from(sorted(_TYPES)), value=VALUES)
@settings(max_examples=400, deadline=None)
def test_any_value_is_taken_or_refused_and_what_is_taken_stays(kind: str, value: Any) -> None:
    assert is_scalar(kind)
    try:
        first = scalar(kind, value, lenient=True)
    except Unfit:
        return
    again = scalar(kind, first.value)
    assert repr(again) == repr(first)


@settings(deadline=None)
@given(first=st.text("0123456789.", min_size=1, max_size=8), second=st.text("0123456789.", min_size=1, max_size=8))
def test_amounts_are_compared_exactly(first: str, second: str) -> None:
    try:
        one, other = (scalar("scalar-unit.size", f"{each} GB").rank for each in (first, second))
    except Unfit:
        return
    assert (one < other) == (Fraction(f"0{first}") < Fraction(f"0{second}"))
