"""Artifacts: what a node brings along, and what an operation runs; with their contents where these are at hand."""

import posixpath
from dataclasses import replace
from typing import Any

from gorchestrator.tosca.faults import Place, ToscaError
from gorchestrator.tosca.model import Artifact
from gorchestrator.tosca.reading.paths import TooLarge
from gorchestrator.tosca.reading.shapes import as_text, kind_of, only, place_in
from gorchestrator.tosca.topology.scope import Scope

_KEYS = (
    "type",
    "file",
    "repository",
    "description",
    "deploy_path",
    "properties",
    "artifact_version",
    "checksum",
    "checksum_algorithm",
    "metadata",
    "mime_type",
)
_IGNORED = ("repository", "deploy_path", "checksum", "checksum_algorithm")
_NETWORK = ("http:", "https:", "ftp:")
_DEPLOYMENT = "tosca.artifacts.Deployment"


def read_artifact(
    name: str, raw: Any, place: Place, file: str, scope: Scope, *, declared: bool = False
) -> Artifact | None:
    """Return an artifact as ``artifacts`` or an implementation defines it: a file's name or a map.

    ``file``: the file in which it is mentioned, to which its own is relative. None: with a fault, it is none.
    ``declared``: it is one that a node has. Perhaps nothing runs it, so it may be on the network, in a repository, or
    too large to travel: only its name is handed over then.
    """
    if isinstance(raw, str):
        return of_file(name, raw, place, file, scope, declared=declared)
    if not isinstance(raw, dict):
        scope.report.fault(place, f"must be a file's name or a map with one, but is {kind_of(raw)}")
        return None
    only(raw, place, _KEYS, scope.report)
    path = as_text(raw.get("file"), place_in(raw, "file", place), scope.report)
    if not path:
        scope.report.fault(place, f"the artifact {name} needs a file")
        return None
    for key in _IGNORED:
        if raw.get(key) is not None:
            scope.report.warn(place_in(raw, key, place), f"the {key} of an artifact is ignored")
    kind, derived = _type_of(raw, place, scope)
    properties = raw.get("properties")
    kept = {str(key): value for key, value in properties.items()} if isinstance(properties, dict) else {}
    found = Artifact(name, kind, path, place, None, kept, derived)
    if _is_deployment(found):
        return found
    at, elsewhere = place_in(raw, "file", place), declared and raw.get("repository") is not None
    return replace(found, content=_content(path, at, file, scope, declared=declared, elsewhere=elsewhere))


def of_file(name: str, path: str, place: Place, file: str, scope: Scope, *, declared: bool = False) -> Artifact:
    """Return the artifact that is only a file."""
    return Artifact(name, "", path, place, _content(path, place, file, scope, declared=declared))


def used(artifact: Artifact, place: Place, file: str, scope: Scope) -> Artifact:
    """Return an artifact of a node as an operation runs it: with its content, where that is on the network."""
    if artifact.content is not None or _is_deployment(artifact) or not _is_on_network(artifact.file):
        return artifact
    return replace(artifact, content=_content(artifact.file, place, file, scope))


def _is_deployment(artifact: Artifact) -> bool:
    return _DEPLOYMENT in (artifact.type, *artifact.derived_from)


def _is_on_network(path: str) -> bool:
    return path.lower().startswith(_NETWORK)


def _type_of(raw: dict[str, Any], place: Place, scope: Scope) -> tuple[str, tuple[str, ...]]:
    """Return an artifact's type and what it derives from; a type that nobody defines is kept as it is written."""
    at = place_in(raw, "type", place)
    written = as_text(raw.get("type"), at, scope.report)
    if not written:
        return "", ()
    found = scope.types.find("artifact", written)
    if found is None:
        scope.report.warn(at, f"unknown artifact type {written}: only its name is looked at")
        return written, ()
    return found.name, tuple(found.derived_from)


def _content(
    path: str, place: Place, file: str, scope: Scope, *, declared: bool = False, elsewhere: bool = False
) -> bytes | None:
    """Return a file's content. In an archive a missing one is a fault; beside a template it may be on the executors.

    ``elsewhere``: it may be missing, for a repository has it.
    """
    document, report = scope.document, scope.report
    if declared and _is_on_network(path):
        return None
    if _is_on_network(path) and document.fetch is None:
        report.fault(place, f"{path} is on the network, which --allow-network allows")
        return None
    try:
        content = document.read(file, path)
    except ToscaError as error:
        note = report.warn if declared and isinstance(error, TooLarge) else report.fault
        for fault in error.faults:
            note(place, f"{path} {fault.text}")
        return None
    if content is None and elsewhere:
        return None
    if content is None:
        note = report.fault if document.files.closed else report.warn
        note(place, f"there is no file {path} beside this one, and no artifact of that name")
    elif document.files.closed and not _beside(file, path, scope):
        report.fault(
            place, f"there is a file {path} from the archive's root, but a path begins at the file that names it"
        )
    return content


def _beside(file: str, path: str, scope: Scope) -> bool:
    """Whether a path leads to a file of the archive from where it is written; practice is laxer than the standard."""
    inside = next((part.inside for part in scope.document.parts if part.file == file), "")
    if "://" in inside or "://" in path:
        return True
    return scope.document.files.read(posixpath.normpath(posixpath.join(posixpath.dirname(inside), path))) is not None
