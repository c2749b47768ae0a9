"""Templates of all versions become gorchs, and wrong ones are refused, as ``expected.tsv`` beside them says."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from gorchestrator.tosca.convert import Request, convert
from gorchestrator.tosca.writing import Options
from support import ROOT
from tosca_conformance import Outcome, examine, expectations, report

OWN = ROOT / "tests" / "data" / "tosca"
PUBLIC = ROOT.parent / "shared" / "tosca"  # templates of others, which are not part of the project
ENOUGH = 0.95
SIZES = {  # nodes and edges of the gorch
    "v10-lifecycle.yaml": (3, 2),
    "v13-operations.yaml": (2, 1),
    "relationships.yaml": (5, 4),
    "functions.yaml": (1, 0),
    "empty.yaml": (1, 0),
    "hosts.yaml": (3, 2),
    "attributes.yaml": (4, 3),
    "nested-imports.yaml": (3, 0),
    "requirements.yaml": (1, 0),
    "custom-interfaces.yaml": (1, 0),
    "workflow-branches.yaml": (4, 3),
}


@pytest.mark.parametrize("row", expectations(OWN), ids=lambda row: row.path)
def test_a_template_is_taken_or_refused_as_expected(row) -> None:
    found = examine(OWN, row)
    assert found.is_hit, found.note
    if found.accepted:
        assert found.orders
        assert (found.nodes, found.edges) == SIZES.get(row.path, (found.nodes, found.edges))
    else:
        assert row.path in found.note


def test_every_template_has_its_row() -> None:
    assert {row.path for row in expectations(OWN)} == {path.name for path in OWN.glob("*.yaml")}


def test_an_archive_is_taken_with_all_that_is_in_it(tmp_path: Path) -> None:
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", OWN / "archive"))
    assert "TOSCA-Metadata/TOSCA.meta" in zipfile.ZipFile(packed).namelist()
    (node,) = convert(packed, Request({}, options=Options(local=True))).gorch["nodes"]
    assert node["artifact"] == (OWN / "archive" / "scripts" / "run.sh").read_text()


def test_a_workflow_runs_what_it_says() -> None:
    path = OWN / "v11-workflow.yaml"
    nodes = convert(path, Request({}, workflow="again", options=Options(local=True))).gorch["nodes"]
    stop, *_ = nodes
    assert {node["name"]: node.get("needs", []) for node in nodes} == {
        stop["name"]: [],
        "start": [stop["name"]],
        "other/deploy.create": [stop["name"]],
        "other/deploy.configure": ["other/deploy.create"],
        "other/deploy.start": ["other/deploy.configure"],
    }


def test_a_workflow_calls_operations_of_interfaces_of_ones_own() -> None:
    path = OWN / "custom-interfaces.yaml"
    begin, refresh, end = convert(path, Request({}, workflow="maintain", options=Options(local=True))).gorch["nodes"]
    assert begin["env"] == {"mode": "soft", "folder": "/data", "level": "5", "extra": "[1, 2]"}
    assert (refresh["needs"], end["needs"]) == ([begin["name"]], [refresh["name"]])
    assert end["env"]["folder"] == "/data"


def test_values_of_all_notations_reach_the_script() -> None:
    path = OWN / "v11-inputs.yaml"
    found = convert(path, Request({"plain": "x", "many": [4, 5]}, options=Options(local=True)))
    (node,) = found.gorch["nodes"]
    assert node["env"] == {"plain": "x", "choice": "b", "second": "5", "all": "[4, 5]"}
    assert found.written.evaluate({}) == {"text": "x-b"}


@pytest.fixture(scope="module")
def outcomes() -> list[Outcome]:
    """What becomes of public templates, where they lie beside the checkout."""
    if not (PUBLIC / "expected.tsv").is_file():
        pytest.skip(f"there are no public templates in {PUBLIC.parent.name}/{PUBLIC.name} beside the checkout")
    if os.environ.get("CI") != "true":
        pytest.skip("public templates are for CI")
    return report(PUBLIC)


def test_public_templates_are_taken_or_refused_as_expected(outcomes: list[Outcome]) -> None:
    misses = [f"{each.row.path}: {each.note}" for each in outcomes if not each.is_hit]
    assert len(misses) <= (1 - ENOUGH) * len(outcomes), "\n".join(misses)


def test_an_attribute_of_a_capability_finds_its_reader(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("#!/bin/sh\naddress=10.0.0.1\n")
    template = tmp_path / "capability.yaml"
    template.write_text("""
tosca_definitions_version: tosca_simple_yaml_1_3
node_types:
  Served:
    derived_from: tosca.nodes.Root
    capabilities: {ep: {type: tosca.capabilities.Endpoint}, other: {type: tosca.capabilities.Endpoint}}
topology_template:
  node_templates:
    a:
      type: Served
      interfaces:
        Standard:
          operations:
            create: {implementation: s.sh, outputs: {address: [SELF, ep, ip_address]}}
            start: {implementation: s.sh, inputs: {ip: {get_attribute: [SELF, ep, ip_address]}}}
  outputs:
    ip: {value: {get_attribute: [a, ep, ip_address]}}
""")
    found = convert(template, Request({}, options=Options(local=True)))
    assert found.warnings == ()
    create, start = found.gorch["nodes"]
    assert list(create["output"]) == ["address"]
    assert start["args"] == ["ip=get_attribute a.create:address"]
    assert found.written.evaluate({"a.create": {"address": "10.0.0.1"}}) == {"ip": "10.0.0.1"}
