"""Folders and CSARs: which file is the template, what is found beside it, which archives are refused."""

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from gorchestrator.tosca.faults import ToscaError
from gorchestrator.tosca.reading.archive import META
from gorchestrator.tosca.reading.files import open_files
from gorchestrator.tosca.reading.paths import MAX_FILE

ROOT = "tosca_definitions_version: tosca_simple_yaml_1_3\n"
NAMED = "metadata: {template_name: shop, template_version: 1.0}\n"


def csar(folder: Path, files: Mapping[str, str | bytes], name: str = "shop.csar") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return folder / name


def entry(folder: Path, path: str, *, mode: int = stat.S_IFREG | 0o644, content: bytes = b"x") -> Path:
    """Make an archive whose one file beside the template is as told."""
    target = csar(folder, {"root.yaml": ROOT})
    info = zipfile.ZipInfo("kept")
    info.filename = path
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(info, content)
    return target


def refused(path: Path) -> str:
    with pytest.raises(ToscaError) as caught:
        open_files(path)
    return str(caught.value).replace(str(path), path.name)


def test_a_folder_gives_what_is_beside_the_template_and_above_it(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "root.yaml").write_text(ROOT)
    (tmp_path / "above.yaml").write_text("a: 1")
    files = open_files(tmp_path / "in" / "root.yaml")
    assert (files.root, files.closed) == ("root.yaml", False)
    assert files.read("root.yaml") == ROOT.encode()
    assert files.read("../above.yaml") == b"a: 1"
    assert files.read("./../in/root.yaml") == ROOT.encode()
    assert files.shown("../above.yaml") == str(tmp_path / "above.yaml")


@pytest.mark.parametrize("path", ["missing", "", "/etc/passwd", "C:\\x", "a\0b", "folder", "x" * 5000, "root.yaml/x"])
def test_what_a_folder_does_not_have_is_nothing(tmp_path: Path, path: str) -> None:
    (tmp_path / "root.yaml").write_text(ROOT)
    (tmp_path / "folder").mkdir()
    assert open_files(tmp_path / "root.yaml").read(path) is None


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root.yaml").write_text(ROOT)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(ToscaError, match="large: is larger than 16 MiB"):
        open_files(tmp_path / "root.yaml").read("large")


def test_a_template_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.yaml") == "none.yaml: cannot be read: No such file or directory"
    assert "this is a folder" in refused(tmp_path)


@pytest.mark.parametrize("name", ["shop.csar", "shop.zip", "shop.tosca"])
def test_a_csar_is_known_by_its_name_or_its_content(tmp_path: Path, name: str) -> None:
    meta = "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: 1.1\nCreated-By: us\nEntry-Definitions: in/root.yaml\n"
    files = open_files(csar(tmp_path, {META: meta, "in/root.yaml": ROOT, "in/a.sh": "echo"}, name))
    assert (files.root, files.closed) == ("in/root.yaml", True)
    assert files.read("in/a.sh") == b"echo"
    assert files.read("in/../in/a.sh") == b"echo"
    assert files.shown("in/a.sh") == str(tmp_path / name / "in/a.sh")
    for path in ("missing", "in", "../in/a.sh", "/in/a.sh"):
        assert files.read(path) is None


def test_only_the_first_block_of_the_meta_file_counts(tmp_path: Path) -> None:
    meta = "\ufeffEntry-Definitions:\r\n root.yaml\r\n\r\nName: image\r\nEntry-Definitions: other.yaml\r\nno pair\r\n"
    assert open_files(csar(tmp_path, {META: meta, "root.yaml": ROOT, "other.yaml": ROOT})).root == "root.yaml"


@pytest.mark.parametrize("content", [ROOT, f"tosca_definitions_version: tosca_simple_yaml_1_0\n{NAMED}"])
def test_without_a_meta_file_the_one_yaml_file_at_the_root_is_the_template(tmp_path: Path, content: str) -> None:
    assert open_files(csar(tmp_path, {"root.yml": content, "in/other.yaml": ROOT, "x.sh": ""})).root == "root.yml"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({META: "Entry-Definition: root.yaml", "root.yaml": ROOT}, f"shop.csar/{META}: Entry-Definitions is missing"),
        ({META: "Entry-Definitions: x.yaml", "root.yaml": ROOT}, "there is no x.yaml in the archive"),
        ({META: "Entry-Definitions: ../x.yaml", "root.yaml": ROOT}, "there is no ../x.yaml in the archive"),
        (
            {META: "A: b\nEntry-Definitions, x", "root.yaml": ROOT},
            f"shop.csar/{META}:2: this line is not `Name: value`",
        ),
        ({META: b"\xff\xfe\x00", "root.yaml": ROOT}, "this line is not `Name: value`"),
        ({"a.yaml": ROOT, "b.yml": ROOT}, "just one YAML file at its root, but there are a.yaml, b.yml"),
        ({"in/a.yaml": ROOT}, "just one YAML file at its root, but there is none"),
        ({}, "just one YAML file at its root, but there is none"),
        ({"a.yaml": "tosca_definitions_version: tosca_simple_yaml_1_0"}, "needs template_name and template_version"),
        ({"a.yaml": "a: ["}, "shop.csar/a.yaml:2: this is not valid YAML"),
        ({"a.yaml": ROOT, "x/../../b": ""}, "shop.csar/x/../../b: the archive holds a path that leads out of it"),
        ({"a.yaml": ROOT, "x\\..\\b": ""}, "the archive holds a path that leads out of it"),
        ({"a.yaml": ROOT, "/etc/b": ""}, "the archive holds an absolute path"),
        ({"a.yaml": ROOT, "C:\\b": ""}, "the archive holds an absolute path"),
        ({"a.yaml": ROOT, "x/b": "", "x/./b": ""}, "the archive holds two files of this name"),
        ({"a.yaml": ROOT, "zeros": bytes(3 << 20)}, "shop.csar/zeros: this file is compressed more than 200 times"),
        ({"a.yaml": ROOT, **{f"f{n}": "" for n in range(10_000)}}, "the archive holds more than 10000 files"),
    ],
)
def test_archives_that_lead_astray_are_refused(tmp_path: Path, files: Mapping[str, str | bytes], told: str) -> None:
    assert told in refused(csar(tmp_path, files))


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o644, stat.S_IFCHR | 0o644])
def test_links_and_special_files_are_refused(tmp_path: Path, mode: int) -> None:
    target = entry(tmp_path, "link", mode=mode, content=b"/etc/passwd")
    assert "link: the archive holds a link or another special file" in refused(target)


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    target = csar(tmp_path, {"root.yaml": ROOT})
    content = bytearray(target.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    target.write_bytes(content)
    assert "the archive is encrypted" in refused(target)


def test_an_archive_whose_directory_lies_about_sizes_is_refused(tmp_path: Path) -> None:
    target = csar(tmp_path, {"root.yaml": ROOT})
    content = bytearray(target.read_bytes())
    at = content.index(b"PK\x01\x02") + 20
    content[at : at + 4] = (1 << 30).to_bytes(4, "little")  # its compressed size
    target.write_bytes(content)
    assert "it is made to exhaust its reader" in refused(target)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all", b"PK\x05\x06" + bytes(10)])
def test_what_is_no_zip_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shop.csar").write_bytes(content)
    assert "shop.csar: this is not a zip archive that can be read" in refused(tmp_path / "shop.csar")


def test_a_file_that_is_damaged_is_named(tmp_path: Path) -> None:
    target = csar(tmp_path, {"root.yaml": ROOT, "a.sh": "echo damaged"})
    content = bytearray(target.read_bytes())
    at = content.index(b"a.sh") + 4
    content[at : at + 4] = b"\xff\xff\xff\xff"
    target.write_bytes(content)
    with pytest.raises(ToscaError, match=r"shop\.csar/a\.sh: cannot be read from the archive"):
        open_files(target).read("a.sh")


def test_a_large_file_may_be_in_an_archive_but_is_not_read(tmp_path: Path) -> None:
    target = csar(tmp_path, {"root.yaml": ROOT})
    with zipfile.ZipFile(target, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("image.qcow2", bytes(MAX_FILE + 1))
    with pytest.raises(ToscaError, match=r"image\.qcow2: is larger than 16 MiB"):
        open_files(target).read("image.qcow2")


def test_a_name_that_the_zip_format_cannot_hold_is_told(tmp_path: Path) -> None:
    target = csar(tmp_path, {"root.yaml": ROOT, "\u00e9.sh": ""})
    content = target.read_bytes().replace("\u00e9".encode(), b"\xff\xff")
    target.write_bytes(content)
    assert "this is not a zip archive that can be read" in refused(target)
