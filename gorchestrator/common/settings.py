"""Typed settings from defaults, a TOML file and the environment, in this order; the environment wins.

A service's settings are one frozen dataclass whose fields are made by :func:`setting`. :func:`load` reads all sources,
reports every fault at once and remembers where each value came from. Nothing here knows a particular service.
"""

import difflib
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, get_type_hints

from gorchestrator.common.parsing import from_text, from_toml

T = TypeVar("T")
Check = Callable[[Any], str | None]  # returns what is wrong and what to do, or None
Derive = Callable[[Any, Mapping[str, str]], Any]  # from the settings before it, and the environment

UNSET: Any = object()
DEFAULT = "default"


class SettingsError(Exception):
    """The settings cannot be used; ``faults`` lists all that is wrong, each with what to do."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


@dataclass(frozen=True, slots=True)
class Spec:
    """What is known of one setting beside its name and type."""

    help: str
    unit: str | None = None
    check: Check | None = None
    derive: Derive | None = None
    live: bool = False  # it can change while the service runs


@dataclass(frozen=True, slots=True)
class Rule:
    """A check over several settings; it runs only when each of ``names`` is right by itself."""

    names: tuple[str, ...]
    find: Check


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """Settings in force, and for each of them ``default``, ``environment GORCH_X`` or ``file PATH``.

    ``text`` is that of the file. ``waiting``: settings that were given another value than the one that stays in force.
    """

    value: T
    sources: Mapping[str, str]
    file: Path | None = None
    text: str = ""
    waiting: tuple[str, ...] = ()


def setting(default: T, text: str, *, unit: str | None = None, check: Check | None = None, live: bool = False) -> T:
    """Declare a field with a fixed default. ``text`` is its line in the documentation.

    ``live``: it can change while the service runs, which then takes it into use by itself.
    """
    metadata = {"setting": Spec(text, unit, check, live=live)}
    hashed = not isinstance(default, Mapping)  # a table has no hash; the settings have theirs without it
    return field(default_factory=lambda: default, metadata=metadata, hash=None if hashed else False)


def derived(derive: Derive, text: str, *, unit: str | None = None, check: Check | None = None) -> Any:
    """Declare a field whose default is computed: ``derive(settings declared before it, environment)``."""
    return field(default=UNSET, metadata={"setting": Spec(text, unit, check, derive)})


def complete(settings: Any, environ: Mapping[str, str]) -> None:
    """Fill the derived fields that were not given; for ``__post_init__`` of the frozen dataclass."""
    for entry in fields(settings):
        if getattr(settings, entry.name) is UNSET:
            object.__setattr__(settings, entry.name, _default(entry, settings, environ))


def spec(entry: Field[Any]) -> Spec:
    """Return what was declared with :func:`setting` or :func:`derived`."""
    found: Spec = entry.metadata["setting"]
    return found


def entries(settings: Any) -> list[Field[Any]]:
    """Return the fields of settings, or of their class: first its own, then those that services share."""
    kind = settings if isinstance(settings, type) else type(settings)
    return sorted(fields(kind), key=lambda entry: entry.name not in kind.__annotations__)


def describe(loaded: Loaded[Any]) -> list[dict[str, Any]]:
    """Return name, value, unit, source and meaning of each setting, ready for JSON."""
    return [
        {
            "name": entry.name,
            "value": _plain(getattr(loaded.value, entry.name)),
            "unit": spec(entry).unit,
            "source": loaded.sources[entry.name],
            "live": spec(entry).live,
            "help": spec(entry).help,
        }
        for entry in entries(loaded.value)
    ]


def pinned(loaded: Loaded[Any], prefix: str, file_variable: str) -> dict[str, str]:
    """Return the environment that names the same paths from every current directory."""
    values = {entry.name: getattr(loaded.value, entry.name) for entry in fields(loaded.value)}
    given = {name: value for name, value in values.items() if loaded.sources[name].startswith("environment")}
    paths = {name: value for name, value in given.items() if isinstance(value, Path)}
    lists = {name: value for name, value in given.items() if isinstance(value, tuple)}
    texts = {name: str(value) for name, value in paths.items()}
    texts |= {name: ",".join(map(str, value)) for name, value in lists.items()}
    return {prefix + name.upper(): text for name, text in texts.items()} | (
        {file_variable: str(loaded.file)} if loaded.file else {}
    )


def load(
    cls: type[T],
    prefix: str,
    environ: Mapping[str, str],
    *,
    file_variable: str,
    ignored: tuple[str, ...] = (),
    rules: Iterable[Rule] = (),
    text: str | None = None,
    before: T | None = None,
) -> Loaded[T]:
    """Return the settings of ``cls`` in force, or raise :class:`SettingsError` with every fault.

    ``ignored``: variables that begin with ``prefix`` but belong to somebody else; an item that ends in ``_`` means all
    that begin with it. ``text``: what the file says, in place of what it does say. ``before``: settings in force, of
    which those stay that are not live; that the others do not go with these is a fault too.
    """
    reader = _Reader(cls, prefix, environ, text)
    file = reader.read_file(environ.get(file_variable), file_variable)
    reader.read_environment(file_variable, ignored)
    values = reader.values()
    faults = [*reader.faults, *_broken(rules, values, reader.faulty)]
    stays = {name: getattr(before, name) for name, entry in reader.fields.items() if not spec(entry).live and before}
    waiting = tuple(name for name, value in stays.items() if value != values[name])
    if not faults and waiting:
        told = f" (these need a restart: {', '.join(waiting)})"
        faults = [fault + told for fault in _broken(rules, values | stays, set())]
    if faults:
        raise SettingsError(faults)
    return Loaded(cls(**values | stays), reader.sources, file, reader.text or "", waiting)


class _Reader:
    """Collects the given values of one settings class, their sources, and the faults."""

    def __init__(self, cls: type, prefix: str, environ: Mapping[str, str], text: str | None) -> None:
        self.fields = {entry.name: entry for entry in entries(cls)}
        self.types = get_type_hints(cls)
        self.prefix = prefix
        self.environ = environ
        self.text = text
        self.given: dict[str, Any] = {}
        self.sources = dict.fromkeys(self.fields, DEFAULT)
        self.faults: list[str] = []
        self.faulty: set[str] = set()

    def read_file(self, name: str | None, variable: str) -> Path | None:
        """Take over the file's values; None when no file was named."""
        if not name:
            return None
        path = Path(name).expanduser().absolute()
        try:
            self.text = path.read_text("utf-8") if self.text is None else self.text
            content = tomllib.loads(self.text)
        except OSError as error:
            self.faults.append(f"{variable}: cannot read {path}: {error.strerror}; name a readable TOML file")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self.faults.append(f"file {path}: not TOML: {error}")
        else:
            for key, value in content.items():
                self._take(key, f"file {path}", key, partial(from_toml, value, folder=path.parent))
        return path

    def read_environment(self, file_variable: str, ignored: tuple[str, ...]) -> None:
        """Take over the environment's values, over those of the file."""
        for variable in sorted(self.environ):
            if not variable.startswith(self.prefix) or variable == file_variable or _belongs(variable, ignored):
                continue
            key = variable.removeprefix(self.prefix).lower()
            text = self.environ[variable]
            self._take(key, f"environment {variable}", variable, partial(from_text, text))

    def values(self) -> dict[str, Any]:
        """Return a value for each setting: as given, else its default."""
        found = SimpleNamespace()
        for name, entry in self.fields.items():
            value = self.given[name] if name in self.given else _default(entry, found, self.environ)
            setattr(found, name, value)
        return vars(found)

    def _take(self, key: str, source: str, shown: str, parse: Callable[..., Any]) -> None:
        where = source if source.startswith("file") else shown
        if key not in self.fields:
            self.faults.append(f"{where}: {self._unknown(key, shown)}")
            return
        self.faulty.discard(key)
        try:
            value = parse(kind=self.types[key])
        except ValueError as error:
            wrong: str | None = str(error)
        else:
            check = spec(self.fields[key]).check
            wrong = check(value) if check else None
            self.given[key], self.sources[key] = value, source
        if wrong:
            self.faulty.add(key)
            self.faults.append(f"{where}: {wrong}" if where == shown else f"{where}: {key}: {wrong}")

    def _unknown(self, key: str, shown: str) -> str:
        prefix = self.prefix if shown.startswith(self.prefix) else ""
        near = difflib.get_close_matches(key, self.fields, n=1)
        names = {name: f"{prefix}{name.upper() if prefix else name}" for name in self.fields}
        what = "no such setting" if prefix else f"no such setting as {key!r}"
        hint = f"did you mean {names[near[0]]}?" if near else f"there are: {', '.join(names.values())}"
        return f"{what}; {hint}"


def _default(entry: Field[Any], before: Any, environ: Mapping[str, str]) -> Any:
    derive = spec(entry).derive
    if derive:
        return derive(before, environ)
    if entry.default_factory is MISSING:  # pragma: no cover  (every field is made by `setting` or `derived`)
        raise TypeError(f"{entry.name} is not a setting")
    return entry.default_factory()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: each.plain() if hasattr(each, "plain") else each for name, each in value.items()}
    return str(value) if isinstance(value, Path) else list(map(str, value)) if isinstance(value, tuple) else value


def _belongs(variable: str, ignored: tuple[str, ...]) -> bool:
    return any(variable.startswith(item) if item.endswith("_") else variable == item for item in ignored)


def _broken(rules: Iterable[Rule], values: Mapping[str, Any], faulty: set[str]) -> Iterator[str]:
    for rule in rules:
        if faulty.isdisjoint(rule.names):
            wrong = rule.find(SimpleNamespace(**values))
            if wrong:
                yield wrong
