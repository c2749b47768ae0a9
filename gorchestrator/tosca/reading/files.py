"""Where a template's files are: the folder of a YAML file, or a CSAR, by names that are relative to its root.

Everything that reads a template's files goes through here, so that what is refused is refused for all.
"""

import os
from pathlib import Path
from typing import Protocol

from gorchestrator.tosca.reading.archive import Archive
from gorchestrator.tosca.reading.paths import MAX_FILE, TooLarge, normal, refusal


class Files(Protocol):
    """The files that belong to a template; names within it have ``/`` and are relative to its root."""

    @property
    def name(self) -> str:
        """The template or archive as the user named it."""

    @property
    def root(self) -> str:
        """The name within it of the template to begin with."""

    @property
    def closed(self) -> bool:
        """Whether all that the template needs must be in it (a CSAR), rather than perhaps elsewhere (a folder)."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None if it is not there. ToscaError if it is there but cannot be read."""

    def owns(self, path: str) -> bool:
        """Whether a file belongs to the template, and may be sent to others: it is not beside its folder."""

    def shown(self, path: str) -> str:
        """Return a file's name as the user knows it."""


def open_files(path: Path) -> Files:
    """Open a YAML template or a CSAR; ToscaError if it is neither."""
    if path.is_dir():
        raise refusal(str(path), "this is a folder: name the template or the CSAR in it")
    try:
        with path.open("rb") as file:
            begin = file.read(4)
    except (OSError, ValueError) as error:
        raise refusal(str(path), f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    zipped = path.suffix.lower() in (".zip", ".csar") or begin == b"PK\x03\x04"
    return Archive(path) if zipped else Folder(path)


class Folder:
    """The folder of a YAML file, which may lead out of it (``../types.yaml``), as any include may."""

    closed = False

    def __init__(self, template: Path) -> None:
        self.name = str(template)
        self.root = template.name
        self._folder = template.parent
        above = template.parent.resolve()
        unpacked = (each for each in (above, above.parent) if (each / "TOSCA-Metadata").is_dir())
        self._own = next(unpacked, above)

    def read(self, path: str) -> bytes | None:
        """Return the content of a regular file."""
        relative = normal(path)
        if relative is None:
            return None
        found = self._folder / relative
        if not os.path.isfile(found):  # Path.is_file raises for a name that is too long
            return None
        try:
            with found.open("rb") as file:
                content = file.read(MAX_FILE + 1)
        except (OSError, ValueError) as error:
            raise refusal(self.shown(path), f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
        if len(content) > MAX_FILE:
            raise TooLarge(self.shown(path))
        return content

    def owns(self, path: str) -> bool:
        """Whether a file is below the template's folder (of an unpacked archive: below its root), links followed."""
        return (self._folder / path).resolve().is_relative_to(self._own)

    def shown(self, path: str) -> str:
        """Return the path from where the user stands."""
        return os.path.normpath(self._folder / path)
