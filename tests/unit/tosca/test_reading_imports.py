"""A template with its imports: notations, namespaces, what every file is asked, what is refused."""

import threading
import zipfile
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gorchestrator.tosca.faults import Report, ToscaError
from gorchestrator.tosca.reading.imports import Document, load

HEAD = "tosca_definitions_version: tosca_simple_yaml_1_3\n"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder / "root.yaml"


def read(folder: Path, files: Mapping[str, str], *, allow_network: bool = False) -> tuple[Document, list[str]]:
    report = Report()
    document = load(write(folder, files), report, allow_network=allow_network)
    return document, [str(each).replace(f"{folder}/", "") for each in report.warnings]


def refused(folder: Path, files: Mapping[str, str], *, allow_network: bool = False) -> list[str]:
    with pytest.raises(ToscaError) as caught:
        load(write(folder, files), Report(), allow_network=allow_network)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]


def types(*names: str, body: str = "derived_from: tosca.nodes.Root") -> str:
    return HEAD + "node_types:\n" + "".join(f"  {name}: {{{body}}}\n" for name in names)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the folder ``net``; yields its URL."""
    monkeypatch.setenv("no_proxy", "*")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    (tmp_path / "net").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "net"))) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "notation",
    [
        "a.yaml",
        "./in/../a.yaml",
        "{file: a.yaml}",
        "{name: a.yaml}",
        "{name: {file: a.yaml}}",
        "{file: a.yaml, namespace_uri: 'http://example.com/ns'}",
        "{name: {file: a.yaml, repository: here}}",
        "{file: a.yaml, repository: there}",
    ],
)
def test_all_notations_of_an_import_are_read(tmp_path: Path, notation: str) -> None:
    root = f"{HEAD}repositories: {{here: ., there: {{url: in/.., description: d}}}}\nimports: [{notation}]\n"
    document, warnings = read(tmp_path, {"root.yaml": root, "a.yaml": types("my.A"), "in/b.yaml": ""})
    assert list(document.definitions("node_types")) == ["my.A"]
    assert [part.file for part in document.parts] == [str(tmp_path / "root.yaml"), str(tmp_path / "a.yaml")]
    assert str(document.definitions("node_types")["my.A"].place).endswith("a.yaml:3: node_types.my.A")
    assert warnings == []


def test_imports_are_relative_to_their_file_or_else_to_the_root(tmp_path: Path) -> None:
    document, _ = read(
        tmp_path,
        {
            "root.yaml": f"{HEAD}imports: [in/a.yaml]\n",
            "in/a.yaml": f"{HEAD}imports: [b.yaml, in/c.yaml, ../d.yaml]\n",
            "in/b.yaml": types("B"),
            "in/c.yaml": types("C"),
            "d.yaml": types("D"),
        },
    )
    assert set(document.definitions("node_types")) == {"B", "C", "D"}


def test_imports_within_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "shop.csar", "w") as archive:
        archive.writestr("TOSCA-Metadata/TOSCA.meta", "Entry-Definitions: in/root.yaml\n")
        archive.writestr("in/root.yaml", f"{HEAD}imports: [types/a.yaml]\n")
        archive.writestr("in/types/a.yaml", f"{HEAD}imports: [types/b.yaml, ../../../out.yaml]\n")
        archive.writestr("types/b.yaml", HEAD)
    (tmp_path / "out.yaml").write_text(HEAD)
    with pytest.raises(ToscaError) as caught:
        load(tmp_path / "shop.csar", Report())
    told = f"{tmp_path}/shop.csar/in/types/a.yaml:2: imports[1]: there is no file ../../../out.yaml to import"
    assert str(caught.value) == told


def test_files_are_found_from_the_file_that_mentions_them(tmp_path: Path) -> None:
    document, _ = read(
        tmp_path,
        {"root.yaml": f"{HEAD}imports: [in/a.yaml]\n", "in/a.yaml": HEAD, "in/x.sh": "in", "x.sh": "at root"},
    )
    root, imported = (part.file for part in document.parts)
    assert document.read(root, "x.sh") == b"at root"
    assert document.read(imported, "x.sh") == b"in"
    assert document.read(imported, "in/x.sh") == b"in"
    assert document.read("of nobody", "x.sh") == b"at root"
    for missing in ("y.sh", "/etc/passwd", "http://127.0.0.1:1/x.sh", ""):
        assert document.read(imported, missing) is None


def test_imports_in_a_circle_are_read_once(tmp_path: Path) -> None:
    document, _ = read(
        tmp_path,
        {
            "root.yaml": f"{HEAD}imports: [a.yaml, root.yaml]\n",
            "a.yaml": f"{HEAD}imports: [b.yaml]\n",
            "b.yaml": f"{HEAD}imports: [a.yaml, root.yaml]\n" + types("B").removeprefix(HEAD),
        },
    )
    assert [Path(part.file).name for part in document.parts] == ["root.yaml", "a.yaml", "b.yaml"]
    assert list(document.definitions("node_types")) == ["B"]


def test_a_namespace_prefix_keeps_equal_names_apart(tmp_path: Path) -> None:
    document, _ = read(
        tmp_path,
        {
            "root.yaml": f"{HEAD}imports: [{{file: a.yaml, namespace_prefix: one}}, b.yaml]\n",
            "a.yaml": f"{HEAD}imports: [{{file: c.yaml, namespace_prefix: two}}]\n"
            + types("Same", "OnlyA", body="derived_from: A").removeprefix(HEAD),
            "b.yaml": types("Same", "OnlyB", body="derived_from: B"),
            "c.yaml": types("Same", body="derived_from: C"),
        },
    )
    found = {name: each["derived_from"] for name, each in document.definitions("node_types").items()}
    assert found == {"Same": "B", "OnlyB": "B", "one:Same": "A", "OnlyA": "A", "one:two:Same": "C"}
    in_a = document.parts[1].file
    assert document.canonical("node_types", "Same") == "Same"
    assert document.canonical("node_types", "one:Same") == "one:Same"
    assert document.canonical("node_types", "one.Same") == "one:Same"
    assert document.canonical("node_types", "one:two:Same") == "one:two:Same"
    assert document.canonical("node_types", "Same", in_a) == "one:Same"
    assert document.canonical("node_types", "two:Same", in_a) == "one:two:Same"
    assert document.canonical("node_types", "OnlyA") == "OnlyA"  # not in sight, but the only one
    assert document.canonical("node_types", "one:OnlyA") == "OnlyA"
    assert document.canonical("node_types", "three:Same") is None
    assert document.canonical("capability_types", "Same") is None


def test_one_file_under_two_prefixes_is_one_type(tmp_path: Path) -> None:
    imports = "[{file: a.yaml, namespace_prefix: one}, {x: {file: a.yaml, namespace_prefix: two}}]"
    document, _ = read(tmp_path, {"root.yaml": f"{HEAD}imports: {imports}\n", "a.yaml": types("A")})
    assert {document.canonical("node_types", name) for name in ("one:A", "two.A", "A")} == {"A"}


def test_the_same_definition_twice_is_fine_and_another_is_not(tmp_path: Path) -> None:
    files = {"root.yaml": f"{HEAD}imports: [a.yaml, b.yaml]\n", "a.yaml": types("A"), "b.yaml": "\n" + types("A")}
    assert list(read(tmp_path, files)[0].definitions("node_types")) == ["A"]
    told = refused(tmp_path, {**files, "b.yaml": "\n" + types("A", body="abstract: true")})
    assert told == ["b.yaml:4: node_types.A: this is defined differently in a.yaml:3; a namespace_prefix helps"]


def test_a_type_without_a_body_is_an_empty_map(tmp_path: Path) -> None:
    document, _ = read(tmp_path, {"root.yaml": f"{HEAD}node_types:\n  A:\n"})
    assert document.definitions("node_types") == {"A": {}}
    assert str(document.definitions("node_types")["A"].place).endswith("root.yaml:3: node_types.A")


@pytest.mark.parametrize("version", ["1_0", "1_0_0", "1_1", "1_2", "1_3"])
def test_versions_are_known(tmp_path: Path, version: str) -> None:
    document, _ = read(tmp_path, {"root.yaml": f"tosca_definitions_version: tosca_simple_yaml_{version}\n"})
    assert document.versions == {f"tosca_simple_yaml_{version}"}


def test_samples_that_moved_and_omit_things_are_read_with_warnings(tmp_path: Path) -> None:
    document, warnings = read(
        tmp_path,
        {
            "root.yaml": f"{HEAD}metadata: text\nimports: [types/a.yaml]\n",
            "types/a.yaml": f"{HEAD}imports: [from/types/b.yaml]\n",
            "types/b.yaml": "node_types: {B: {}}\n",
        },
    )
    assert list(document.definitions("node_types")) == ["B"]
    assert warnings == [
        "root.yaml:2: metadata: must be a map: it is ignored",
        "types/a.yaml:2: imports[0]: there is no file from/types/b.yaml; the b.yaml beside this file is taken for it",
        "types/b.yaml:1: tosca_definitions_version is missing; that of the importing file is assumed",
    ]


@pytest.mark.parametrize(
    ("root", "told"),
    [
        ("description: x", "root.yaml:1: tosca_definitions_version is missing: is this a TOSCA template?"),
        ("tosca_definitions_version: 1.0", "root.yaml:1: tosca_definitions_version: unknown version 1.0; known are"),
        ("tosca_definitions_version: [a]", "root.yaml:1: tosca_definitions_version: unknown version ['a']; known are"),
        (
            f"{HEAD}node_type: {{}}",
            "root.yaml:2: node_type: a TOSCA file has no section of this name: is it node_types?",
        ),
        (f"{HEAD}zzz: 1", "root.yaml:2: zzz: a TOSCA file has no section of this name; it has artifact_types"),
        (f"{HEAD}node_types: [a]", "root.yaml:2: node_types: must be a map, but is a list"),
        (f"{HEAD}node_types: {{a: 5}}", "root.yaml:2: node_types.a: must be a map, but is 5"),
        (f"{HEAD}topology_template: text", "root.yaml:2: topology_template: must be a map, but is 'text'"),
        (f"{HEAD}description: {{a: b}}", "root.yaml:2: description: must be a text"),
        (f"{HEAD}repositories: {{a: 5}}", "root.yaml:2: repositories.a: a repository is a URL, or a map with a url"),
        (f"{HEAD}repositories: {{a: {{}}}}", "root.yaml:2: repositories.a: a repository needs a url"),
        (f"{HEAD}repositories: {{a: {{url: x, b: 1}}}}", "root.yaml:2: repositories.a.b: a repository has no such key"),
        (f"{HEAD}imports: a.yaml", "root.yaml:2: imports: must be a list"),
        (f"{HEAD}imports: [5]", "root.yaml:2: imports[0]: an import is a path, or a map with a file"),
        (f"{HEAD}imports: [[a]]", "root.yaml:2: imports[0]: an import is a path, or a map with a file"),
        (f"{HEAD}imports: [~]", "root.yaml:2: imports[0]: an import is a path, or a map with a file"),
        (f"{HEAD}imports: [{{a: {{}}}}]", "root.yaml:2: imports[0].a: an import is a path, or a map with a file"),
        (f"{HEAD}imports: [{{file: [a]}}]", "root.yaml:2: imports[0].file: must be a text"),
        (f"{HEAD}imports: [{{file: a, fil: b}}]", "root.yaml:2: imports[0].fil: an import has no such key"),
        (f"{HEAD}imports: [a.yaml]", "root.yaml:2: imports[0]: there is no file a.yaml to import"),
        (f"{HEAD}imports: [/etc/a.yaml]", "root.yaml:2: imports[0]: /etc/a.yaml is an absolute path"),
        (f"{HEAD}imports: ['C:\\a.yaml']", "root.yaml:2: imports[0]: C:\\a.yaml is an absolute path"),
        (f"{HEAD}imports: ['https://example.com/a']", "https://example.com/a is on the network, which --allow-network"),
        (f"{HEAD}imports: ['file:///etc/passwd']", "file:///etc/passwd: only http, https, ftp can be imported"),
        (f"{HEAD}imports: [{{file: a, repository: b}}]", "root.yaml:2: imports[0].file: there is no repository b"),
        (
            f"{HEAD}repositories: {{b: 'http://example.com'}}\nimports: [{{file: a, repository: b}}]",
            "root.yaml:3: imports[0].file: http://example.com/a is on the network",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, root: str, told: str) -> None:
    assert any(told in line for line in refused(tmp_path, {"root.yaml": root}))


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    told = refused(
        tmp_path,
        {
            "root.yaml": f"{HEAD}imports: [a.yaml, b.yaml, none.yaml]\nzzz: 1\n",
            "a.yaml": "a: [",
            "b.yaml": "tosca_definitions_version: tosca_simple_yaml_9\n",
        },
    )
    assert [line.split(" ")[0] for line in told] == ["root.yaml:3:", "a.yaml:2:", "b.yaml:1:", "root.yaml:2:"]


def test_the_network_is_read_where_that_is_allowed(tmp_path: Path, server: str) -> None:
    write(tmp_path / "net", {"in/a.yaml": f"{HEAD}imports: [b.yaml]\n", "in/b.yaml": types("B"), "in/x.sh": "echo"})
    root = f"{HEAD}repositories: {{net: '{server}/in/'}}\nimports: [{{file: a.yaml, repository: net}}]\n"
    document, _ = read(tmp_path, {"root.yaml": root}, allow_network=True)
    assert list(document.definitions("node_types")) == ["B"]
    assert document.parts[2].file == f"{server}/in/b.yaml"
    assert document.read(document.parts[1].file, "x.sh") == b"echo"
    assert document.read(document.parts[1].file, "none.sh") is None


def test_what_the_network_does_not_give_is_told(tmp_path: Path, server: str) -> None:
    root = f"{HEAD}imports: ['{server}/none.yaml', 'file:///etc/passwd', '{server}/folder/none.yaml']\n"
    told = refused(tmp_path, {"root.yaml": root}, allow_network=True)
    assert f"root.yaml:2: imports[0]: cannot be imported: {server}/none.yaml: cannot be fetched: " in told[0]
    assert "only http, https, ftp" in "".join(told)


def test_a_file_of_the_network_is_bounded(tmp_path: Path, server: str) -> None:
    with (tmp_path / "net" / "large.yaml").open("wb") as file:
        file.truncate((16 << 20) + 1)
    told = refused(tmp_path, {"root.yaml": f"{HEAD}imports: ['{server}/large.yaml']\n"}, allow_network=True)
    assert "is larger than 16 MiB" in told[0]
