"""Scalar types: what of YAML each takes, what it is made into, and by what two values of it are compared."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from gorchestrator.tosca.model import Value
from gorchestrator.tosca.reading.scalars import Number, as_written
from gorchestrator.tosca.reading.shapes import kind_of, listed


class Unfit(Exception):
    """A value is not of its type; the text says what is expected."""


class Scalar(NamedTuple):
    """A value in the form of its type, and what it is compared by."""

    value: Value
    rank: Any


_DIGITS = re.compile(r"[-+]?[0-9]{1,40}")
_DECIMAL = re.compile(r"[-+]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?")
_VERSION = re.compile(r"([0-9]{1,20})(?:\.([0-9]{1,20})(?:\.([0-9]{1,20})(?:\.(\w{1,60})(?:-([0-9]{1,20}))?)?)?)?")
_TIME = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(?:Z|([-+]\d\d?)(?::?(\d\d))?))?)?"
)
_AMOUNT = re.compile(r"((?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?)\s*([A-Za-z]{1,6})")
_PREFIXES = ("", "K", "M", "G", "T")
_UNITS: dict[str, dict[str, Fraction]] = {
    "size": {
        f"{prefix.lower() if prefix == 'K' and not binary else prefix}{binary}B": Fraction(base) ** power
        for binary, base in (("", 1000), ("i", 1024))
        for power, prefix in enumerate(_PREFIXES)
        if prefix or not binary
    },
    "time": {
        "d": Fraction(86400),
        "h": Fraction(3600),
        "m": Fraction(60),
        "s": Fraction(1),
        "ms": Fraction(1, 10**3),
        "us": Fraction(1, 10**6),
        "ns": Fraction(1, 10**9),
    },
    "frequency": {f"{prefix}Hz": Fraction(1000) ** power for power, prefix in enumerate(("", "k", "M", "G"))},
    "bitrate": {
        f"{prefix}{binary}{unit}ps": Fraction(base) ** power * bits
        for unit, bits in (("b", 1), ("B", 8))
        for binary, base in (("", 1000), ("i", 1024))
        for power, prefix in enumerate(_PREFIXES)
        if prefix or not binary
    },
}


def scalar(kind: str, value: Value, *, lenient: bool = False) -> Scalar:
    """Return a value as one of this type. Raises Unfit, and KeyError for a type that is not here.

    ``lenient``: a number is taken for a text, as it is written.
    """
    if kind == "string" and lenient and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = as_written(value)
    return _TYPES[kind](value)


def is_scalar(kind: str) -> bool:
    """Whether this type is here."""
    return kind in _TYPES


def _string(value: Value) -> Scalar:
    if not isinstance(value, str):
        hint = ": quotes make it one" if isinstance(value, (bool, int, float)) else ""
        raise Unfit(f"must be a text, but is {kind_of(value)}{hint}")
    return Scalar(value, value)


def _json(value: Value) -> Scalar:
    """Take JSON as a text, and as the YAML that says the same."""
    return Scalar(value, value)


def _integer(value: Value) -> Scalar:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int):
        raise Unfit(f"must be an integer, but is {_told(value)}")
    return Scalar(int(value), int(value))


def _float(value: Value) -> Scalar:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = Number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unfit(f"must be a number, but is {_told(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise Unfit("must be a number that a computer can hold")
    return Scalar(value, value)


def _boolean(value: Value) -> Scalar:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    if not isinstance(value, bool):
        raise Unfit(f"must be true or false, but is {_told(value)}")
    return Scalar(value, value)


def _null(value: Value) -> Scalar:
    if value is not None:
        raise Unfit(f"must be null, but is {_told(value)}")
    return Scalar(None, None)


def _timestamp(value: Value) -> Scalar:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit(f"must be a time, such as 2001-12-14T21:59:43Z, but is {_told(value)}")
    *clock, fraction, hours, minutes = found.groups()
    try:
        moment = datetime(*(int(part or 0) for part in clock), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError as error:
        raise Unfit(f"must be a time, but {error}") from None
    east = int(hours or 0) * 3600 + int(minutes or 0) * (-60 if (hours or "").startswith("-") else 60)
    return Scalar(value, Fraction(f"0.{fraction or 0}") + int(moment.timestamp()) - east)


def _version(value: Value) -> Scalar:
    text = as_written(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    found = _VERSION.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Unfit(f"must be a version, such as 1.2 or 1.2.3.beta-4, but is {_told(value)}")
    major, minor, fix, qualifier, build = found.groups()
    numbers = (int(major), int(minor or 0), int(fix or 0))
    return Scalar(text, (numbers, qualifier is None, qualifier or "", int(build or 0)))


def _range(value: Value) -> Scalar:
    if not isinstance(value, list) or len(value) != len(("lower", "upper")):
        raise Unfit(f"must be a range [lower, upper], but is {_told(value)}")
    lower, upper = (each if each == "UNBOUNDED" else _integer(each).value for each in value)
    if "UNBOUNDED" not in (lower, upper) and lower > upper:
        raise Unfit(f"must be a range [lower, upper], but {lower} is above {upper}")
    return Scalar([lower, upper], (lower, upper))


def _amount(units: dict[str, Fraction]) -> Callable[[Value], Scalar]:
    """Return what reads amounts with a unit, whose case counts only where it makes a difference."""
    exact = {unit.casefold() for unit in units}
    by_case = units if len(exact) < len(units) else {unit.casefold(): factor for unit, factor in units.items()}

    def read(value: Value) -> Scalar:
        found = _AMOUNT.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise Unfit(f"must be a number with a unit ({listed(units)}), but is {_told(value)}")
        unit = found[2] if by_case is units else found[2].casefold()
        if unit not in by_case:
            raise Unfit(f"{_told(value)} has an unknown unit; there are {listed(units)}")
        return Scalar(value, Fraction(found[1]) * by_case[unit])

    return read


def _told(value: Value) -> str:
    return f"{value!r:.60}" if isinstance(value, str) else kind_of(value)


_TYPES: dict[str, Callable[[Value], Scalar]] = {
    "string": _string,
    "json": _json,
    "xml": _string,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "null": _null,
    "timestamp": _timestamp,
    "version": _version,
    "range": _range,
    **{f"scalar-unit.{name}": _amount(units) for name, units in _UNITS.items()},
}
