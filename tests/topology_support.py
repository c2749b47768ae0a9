"""Templates as text, resolved: for the tests of what a topology means."""

import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gorchestrator.tosca.faults import Report, ToscaError
from gorchestrator.tosca.model import Topology
from gorchestrator.tosca.reading.imports import load
from gorchestrator.tosca.topology import resolve
from gorchestrator.tosca.types.system import TypeSystem

VERSION = "tosca_definitions_version: tosca_simple_yaml_1_3\n"


class Templates:
    """Writes templates into a folder and resolves them; ``report`` is that of the last one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.report = Report()

    def file(self, name: str, text: str) -> None:
        """Put a file beside the template."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")

    def resolve(self, text: str, inputs: Mapping[str, Any] | None = None) -> Topology:
        """Resolve a template."""
        self.file("template.yaml", VERSION + textwrap.dedent(text))
        return self._resolve(inputs or {})

    def resolve_content(self, content: dict[str, Any]) -> Topology:
        """Resolve a template that is not text yet."""
        path = self.folder / "template.yaml"
        path.write_text(json.dumps({"tosca_definitions_version": "tosca_simple_yaml_1_3", **content}), encoding="utf-8")
        return self._resolve({})

    def _resolve(self, inputs: Mapping[str, Any]) -> Topology:
        self.report = Report()
        document = load(self.folder / "template.yaml", self.report)
        types = TypeSystem(document, self.report)
        return resolve(document, types, inputs, self.report)

    def faults(self, text: str, inputs: Mapping[str, Any] | None = None) -> list[str]:
        """Return the faults of a template that cannot be resolved."""
        with pytest.raises(ToscaError) as caught:
            self.resolve(text, inputs)
        return [str(fault) for fault in caught.value.faults]

    def refused(self, text: str, because: str, inputs: Mapping[str, Any] | None = None) -> None:
        """Assert that one fault says why, and where."""
        faults = self.faults(text, inputs)
        assert any(because in fault for fault in faults), faults
        assert all("template.yaml:" in fault or fault.startswith("inputs") for fault in faults), faults

    @property
    def warnings(self) -> list[str]:
        """The warnings of the last template."""
        return [str(fault) for fault in self.report.warnings]
