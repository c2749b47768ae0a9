"""The types that TOSCA itself defines: those that tosca-parser packages as data, and those of 1.3 that it lacks.

Of that library only the files are used: its code does not take every valid template.
"""

from functools import cache
from importlib import resources

from gorchestrator.tosca.faults import Fault, Place, ToscaError
from gorchestrator.tosca.reading.document import SECTIONS
from gorchestrator.tosca.reading.source import Map, parse

_FILES = (
    ("gorchestrator.tosca.types", "normative.yaml"),
    ("toscaparser", "elements/TOSCA_definition.yaml"),
    ("toscaparser", "extensions/nfv/TOSCA_nfv_definition_1_0_0.yaml"),
    ("toscaparser", "extensions/mec/TOSCA_mec_definition_1_0_0.yaml"),
)
_SHORT = {  # what stands before the names by which templates may call these types
    "node_types": ("tosca.nodes.", "tosca.nodes.network."),
    "relationship_types": ("tosca.relationships.", "tosca.relationships.network."),
    "capability_types": ("tosca.capabilities.", "tosca.capabilities.network."),
    "data_types": ("tosca.datatypes.", "tosca.datatypes.network."),
    "artifact_types": ("tosca.artifacts.", "tosca.artifacts.Implementation.", "tosca.artifacts.Deployment."),
    "interface_types": (
        "tosca.interfaces.",
        "tosca.interfaces.node.",
        "tosca.interfaces.node.lifecycle.",
        "tosca.interfaces.relationship.",
    ),
    "policy_types": ("tosca.policies.",),
    "group_types": ("tosca.groups.",),
}
MISSING = "TOSCA's own types are not installed: pip install 'gorchestrator-oaas[tosca]' brings them"


@cache
def normative() -> dict[str, dict[str, Map]]:
    """Return section: full name: definition. Raises ToscaError if the data is not installed."""
    found: dict[str, dict[str, Map]] = {section: {} for section in SECTIONS}
    for package, path in _FILES:
        try:
            content = parse(resources.files(package).joinpath(path).read_bytes(), path.rpartition("/")[2])
        except (ModuleNotFoundError, FileNotFoundError):
            raise ToscaError([Fault(Place("gorch tosca"), MISSING)]) from None
        for section in SECTIONS:
            for name, definition in (content.get(section) or {}).items():
                found[section].setdefault(name, definition or Map(content[section].at(name)))
    return found


def full_name(section: str, name: str) -> str | None:
    """Return the full name of a type of TOSCA by any of its names (``Compute``, ``tosca:Compute``), or None."""
    known = normative()[section]
    rest = name.removeprefix("tosca:")
    return next((full for full in (rest, *(prefix + rest for prefix in _SHORT[section])) if full in known), None)
