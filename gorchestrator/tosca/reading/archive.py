"""CSARs: zip archives with a template, read in memory, never unpacked to disk.

An archive may come from anywhere. What could lead out of it, or is there to exhaust the reader, is refused as a whole
before anything in it is read.
"""

import lzma
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from gorchestrator.tosca.faults import Fault, Place, ToscaError
from gorchestrator.tosca.reading.paths import MAX_FILE, TooLarge, normal, refusal
from gorchestrator.tosca.reading.source import Map, parse

META = "TOSCA-Metadata/TOSCA.meta"
MAX_ENTRIES = 10_000
MAX_TOTAL = 4 << 30  # bytes of all files: images may be in it, which are never read
MAX_READ = 256 << 20  # bytes of all the files that are read
MAX_RATIO = 200  # of a file larger than SMALL to its compressed size
SMALL = 1 << 20

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


class Archive:
    """The files of a CSAR. The zip file is opened for each file that is read, and each is read once."""

    closed = True

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._kept: dict[str, bytes] = {}
        self._entries = self._checked()
        self.root = self._find_root()

    def read(self, path: str) -> bytes | None:
        """Return the content of a file in the archive."""
        name = normal(path)
        if name is None or name not in self._entries:
            return None
        if name not in self._kept:
            self._kept[name] = self._read(name)
        return self._kept[name]

    def owns(self, path: str) -> bool:
        """Whether a file belongs to the template."""
        return True

    def shown(self, path: str) -> str:
        """Return a name below that of the archive."""
        return f"{self.name}/{path.lstrip('/')}"

    def _read(self, name: str) -> bytes:
        entry = self._entries[name]
        if entry.file_size > MAX_FILE:
            raise TooLarge(self.shown(name))
        if sum(map(len, self._kept.values())) + entry.file_size > MAX_READ:
            raise refusal(self.shown(name), f"the template needs more than {MAX_READ >> 20} MiB of files")
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open(entry) as file:
                return file.read(MAX_FILE)
        except _BROKEN as error:
            raise refusal(self.shown(name), f"cannot be read from the archive: {error}") from None

    def _checked(self) -> dict[str, zipfile.ZipInfo]:
        """Return the archive's files by their names, all of them harmless."""
        try:
            with zipfile.ZipFile(self._path) as archive:
                entries = archive.infolist()
                size = self._path.stat().st_size
        except _BROKEN as error:
            raise refusal(self.name, f"this is not a zip archive that can be read: {error}") from None
        if len(entries) > MAX_ENTRIES:
            raise refusal(self.name, f"the archive holds more than {MAX_ENTRIES} files")
        if (
            sum(entry.file_size for entry in entries) > MAX_TOTAL
            or sum(entry.compress_size for entry in entries) > size
        ):
            raise refusal(self.name, "the archive holds more than it could: it is made to exhaust its reader")
        faults = [Fault(Place(self.shown(entry.filename)), text) for entry in entries if (text := _harm(entry))]
        if faults:
            raise ToscaError(faults)
        return self._by_name([entry for entry in entries if not entry.is_dir()])

    def _by_name(self, entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        files: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            name = normal(entry.filename) or ""
            if name in files:
                raise refusal(self.shown(name), "the archive holds two files of this name")
            files[name] = entry
        return files

    def _find_root(self) -> str:
        if META in self._entries:
            return self._entry_definitions()
        names = [name for name in self._entries if "/" not in name and name.lower().endswith((".yaml", ".yml"))]
        if len(names) != 1:
            found = f"there are {', '.join(sorted(names))}" if names else "there is none"
            text = f"without {META}, an archive must hold just one YAML file at its root, but {found}"
            raise refusal(self.name, text)
        self._check_metadata(names[0])
        return names[0]

    def _entry_definitions(self) -> str:
        place = self.shown(META)
        entry = _meta(self.read(META) or b"", place).get("Entry-Definitions")
        if not entry:
            raise refusal(place, "Entry-Definitions is missing: it names the template to begin with")
        name = normal(entry)
        if name is None or name not in self._entries:
            raise refusal(place, f"Entry-Definitions: there is no {entry} in the archive")
        return name

    def _check_metadata(self, name: str) -> None:
        """Refuse a 1.0 template without a name and a version: only later versions know archives without META."""
        content = parse(self.read(name) or b"", self.shown(name))
        metadata = content.get("metadata")
        keys = metadata if isinstance(metadata, Map) else content
        missing = [key for key in ("template_name", "template_version") if keys.get(key) is None]
        if missing and content.get("tosca_definitions_version") in ("tosca_simple_yaml_1_0", "tosca_simple_yaml_1_0_0"):
            place = content.at("metadata")
            text = f"an archive without {META} needs {' and '.join(missing)} in the template's metadata"
            raise ToscaError([Fault(place, text)])


def _harm(entry: zipfile.ZipInfo) -> str:
    """Return why an entry is refused; "" if it is harmless."""
    name = entry.filename
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if normal(name) is None:
        return "the archive holds an absolute path"
    if ".." in name.replace("\\", "/").split("/"):
        return "the archive holds a path that leads out of it"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "the archive holds a link or another special file"
    if entry.flag_bits & 1:
        return "the archive is encrypted"
    if entry.file_size > SMALL and entry.file_size > MAX_RATIO * entry.compress_size:
        return f"this file is compressed more than {MAX_RATIO} times: it is made to exhaust its reader"
    return ""


def _meta(content: bytes, file: str) -> dict[str, str]:
    """Return the first block of a TOSCA.meta: ``Name: value`` lines up to an empty one; a line may go on indented."""
    pairs: dict[str, str] = {}
    last = ""
    for number, line in enumerate(content.decode("utf-8-sig", "replace").splitlines(), 1):
        key, colon, value = line.partition(":")
        if not line.strip():
            if pairs:
                break
        elif line[0].isspace() and last:
            pairs[last] += line.strip()
        elif colon and key.strip():
            last = key.strip()
            pairs[last] = value.strip()
        else:
            raise ToscaError([Fault(Place(file, number), "this line is not `Name: value`")])
    return pairs
