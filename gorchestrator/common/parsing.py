"""Values of settings out of text (the environment) and out of TOML. Every ValueError says what to write instead."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


def from_text(text: str, kind: Any) -> Any:
    """Return the value of type ``kind`` that an environment variable says."""
    return _TEXT[kind](text)


def understand(kind: Any, of_text: Callable[[str], Any], of_file: Callable[[Any, Path], Any]) -> None:
    """Have settings of another type, with what reads them out of a text and out of what a file says."""
    _TEXT[kind], _TOML[kind] = of_text, of_file


def text_mapping(text: str) -> Mapping[str, str]:
    """Return what ``name=value,name2=value2`` says."""
    pairs = [item.partition("=") for item in _items(text)]
    if not all(key.strip() and value.strip() for key, _, value in pairs):
        raise ValueError(f"{text!r} is not a list of name=value; write name=value,name2=value2")
    if len({key.strip() for key, _, _ in pairs}) < len(pairs):
        raise ValueError(f"{text!r} names one twice; name each once")
    return {key.strip(): value.strip() for key, _, value in pairs}


def from_toml(value: Any, kind: Any, folder: Path) -> Any:
    """Return the value of type ``kind`` that the file says; relative paths are taken from the file's ``folder``."""
    return _TOML[kind](value, folder)


def _text_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number; write one, such as 8") from None


def _text_float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number; write one, such as 2.5") from None
    return _finite(number)


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError("it must be a finite number")
    return number


def _text_bool(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError(f"{text!r} is neither yes nor no; write true or false")


def _path(text: str, folder: Path) -> Path:
    if not text or "\0" in text:
        raise ValueError("the path is empty; leave the setting out to get its default")
    return folder / Path(text).expanduser()


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


_TEXT: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: _text_int,
    float: _text_float,
    bool: _text_bool,
    Path: lambda text: _path(text, Path.cwd()),
    Path | None: lambda text: _path(text, Path.cwd()) if text else None,
    tuple[str, ...]: _items,
    tuple[Path, ...]: lambda text: tuple(_path(item, Path.cwd()) for item in _items(text)),
    Mapping[str, str]: text_mapping,
}


def _toml(kinds: tuple[type, ...], what: str, make: Callable[[Any, Path], Any]) -> Callable[[Any, Path], Any]:
    def parse(value: Any, folder: Path) -> Any:
        # A bool is an int to Python, but not to somebody who writes a file.
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{value!r} is not {what}")
        return make(value, folder)

    return parse


def _toml_list(value: list[Any], _folder: Path) -> tuple[str, ...]:
    if not all(isinstance(item, str) for item in value):
        raise ValueError(f'{value!r} is not a list of texts; write ["one", "two"]')
    return tuple(value)


def _toml_paths(value: list[Any], folder: Path) -> tuple[Path, ...]:
    return tuple(_path(item, folder) for item in _toml_list(value, folder))


def _toml_mapping(value: dict[str, Any], _folder: Path) -> Mapping[str, str]:
    if not all(isinstance(item, str) for item in value.values()):
        raise ValueError(f'{value!r} is not a table of texts; write name = "value" lines')
    return value


_TOML: dict[Any, Callable[[Any, Path], Any]] = {
    str: _toml((str,), 'a text; write "…"', lambda value, _: value),
    int: _toml((int,), "a whole number; write one, such as 8", lambda value, _: value),
    float: _toml((int, float), "a number; write one, such as 2.5", lambda value, _: _finite(float(value))),
    bool: _toml((bool,), "true or false", lambda value, _: value),
    Path: _toml((str,), 'a path; write "…"', _path),
    Path | None: _toml((str,), 'a path; write "…"', lambda value, folder: _path(value, folder) if value else None),
    tuple[str, ...]: _toml((list,), 'a list; write ["one", "two"]', _toml_list),
    tuple[Path, ...]: _toml((list,), 'a list; write ["one", "two"]', _toml_paths),
    Mapping[str, str]: _toml((dict,), 'a table; write name = "value" lines', _toml_mapping),
}
