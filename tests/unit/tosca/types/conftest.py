"""Types of a template, and values checked against definitions."""

import textwrap
from pathlib import Path
from typing import Any

import pytest

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.reading.imports import load
from gorchestrator.tosca.reading.source import parse
from gorchestrator.tosca.types.checking import check
from gorchestrator.tosca.types.system import TypeSystem
from gorchestrator.tosca.types.values import read_definition


class Types:
    """Writes templates and reads their types; ``report`` is that of the last one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = Report()

    def file(self, name: str, text: str) -> None:
        (self.folder / name).write_text("tosca_definitions_version: tosca_simple_yaml_1_3\n" + textwrap.dedent(text))

    def read(self, text: str = "") -> TypeSystem:
        self.file("types.yaml", text)
        self.report = Report()
        return TypeSystem(load(self.folder / "types.yaml", self.report), self.report)

    def faults(self, text: str) -> list[str]:
        self.read(text)
        return [str(each) for each in self.report.faults]

    def checked(self, definition: str, value: str, types: str = "") -> Any:
        """Return a value, written as YAML, checked against a definition; ``report`` has what is wrong with it."""
        known = self.read(types)
        raw = parse(f"d: {definition}\nv: {value}\n".encode(), "value.yaml")
        wanted = read_definition("d", raw["d"], raw.at("d"), self.report)
        found = check(raw["v"], wanted, Place("value.yaml", 2, ("v",)), known, self.report)
        assert check(found, wanted, Place("value.yaml"), known, Report()) == found
        return found


@pytest.fixture
def types(tmp_path: Path) -> Types:
    return Types(tmp_path)
