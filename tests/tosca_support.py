"""Templates written into a test, converted with their scripts beside them."""

from collections.abc import Callable
from typing import Any

from gorchestrator.tosca.convert import Conversion

Converted = Callable[..., Conversion]
HEAD = "tosca_definitions_version: tosca_simple_yaml_1_3\n"


def nodes_of(found: Conversion) -> dict[str, dict[str, Any]]:
    """Return the nodes of a gorch by their names."""
    return {node["name"]: node for node in found.gorch["nodes"]}
