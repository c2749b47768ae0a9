"""What templates do in practice and the standard allows: artifacts that are elsewhere, attributes of relationships."""

import zipfile
from pathlib import Path

import pytest

from gorchestrator.tosca.convert import Request, convert
from gorchestrator.tosca.faults import ToscaError
from gorchestrator.tosca.reading.paths import MAX_FILE
from gorchestrator.tosca.writing import Options
from tosca_support import HEAD, Converted, nodes_of

# -- artifacts that are elsewhere

ARTIFACTS = """
topology_template:
  node_templates:
    one:
      type: tosca.nodes.Root
      artifacts:
        content: {file: 'https://example.org/content.tgz', type: tosca.artifacts.File}
        plain: https://example.org/run.sh
      interfaces:
        Standard:
          operations:
            create: {implementation: %s, inputs: {content: {get_artifact: [SELF, content]}}}
"""


def test_an_artifact_on_the_network_is_handed_over_by_its_address(converted: Converted) -> None:
    found = converted(ARTIFACTS % "run.sh", run='echo "$content"')
    (node,) = found.gorch["nodes"]
    assert node["env"] == {"content": "https://example.org/content.tgz"}
    assert found.warnings == ()


def test_an_artifact_on_the_network_that_is_to_run_is_refused(converted: Converted) -> None:
    with pytest.raises(ToscaError) as caught:
        converted(ARTIFACTS % "plain")
    (fault,) = caught.value.faults
    assert "template.yaml:13: topology_template.node_templates.one" in str(fault)
    assert "https://example.org/run.sh is on the network, which --allow-network allows" in str(fault)


def archive(path: Path, template: str, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("template.yaml", HEAD + template)
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def test_an_archive_need_not_hold_what_a_repository_has(tmp_path: Path) -> None:
    template = """
repositories: {images: https://example.org/images}
artifact_types: {my.Image: {derived_from: tosca.artifacts.Root}}
topology_template:
  node_templates:
    one: {type: tosca.nodes.Root, artifacts: {image: {file: 'shop:1.0', type: my.Image%s}}}
"""
    converted = convert(archive(tmp_path / "a.csar", template % ", repository: images"), Request({}))
    assert converted.gorch["nodes"] == [{"name": "one.start", "engine": "nil"}]
    with pytest.raises(ToscaError, match=r"there is no file shop:1\.0 beside this one"):
        convert(archive(tmp_path / "b.csar", template % ""), Request({}))


def test_a_large_artifact_is_told_and_refused_only_where_it_is_to_run(tmp_path: Path) -> None:
    template = """
topology_template:
  node_templates:
    one:
      type: tosca.nodes.Root
      artifacts: {program: {file: program.jar, type: tosca.artifacts.File}}
      interfaces: {Standard: {operations: {create: {implementation: %s}}}}
"""
    files = {"program.jar": bytes(MAX_FILE + 1), "run.sh": b"#!/bin/sh\n"}
    request = Request({}, options=Options(local=True, engines={"jar": "shell"}))
    found = convert(archive(tmp_path / "a.csar", template % "run.sh", **files), request)
    assert ["program.jar is larger than 16 MiB" in str(each) for each in found.warnings] == [True, False]
    with pytest.raises(ToscaError, match=r"program\.jar is larger than 16 MiB"):
        convert(archive(tmp_path / "b.csar", template % "program.jar", **files), request)


# -- attributes of relationships, and values that attributes begin with

RELATIONSHIPS = """
relationship_types:
  my.Uses:
    derived_from: tosca.relationships.ConnectsTo
    attributes: {key: {type: string}, mode: {type: string, default: plain}}
    interfaces:
      Configure:
        operations:
          pre_configure_source: {implementation: make.sh, outputs: {made: [SELF, key]}}
          post_configure_source:
            implementation: take.sh
            inputs:
              key: {get_attribute: [SELF, key]}
              same: {get_operation_output: [SELF, Configure, pre_configure_source, made]}
              mode: {get_attribute: [SELF, mode]}
node_types:
  my.App:
    derived_from: tosca.nodes.Root
    requirements: [{uses: {capability: tosca.capabilities.Node, relationship: my.Uses, occurrences: [0, UNBOUNDED]}}]
topology_template:
  node_templates:
    one: {type: tosca.nodes.Root}
    two: {type: tosca.nodes.Root}
    app: {type: my.App, requirements: [{uses: one}, {uses: {node: two, relationship: second}}]}
  relationship_templates:
    second: {type: my.Uses, attributes: {mode: strict}}
  outputs:
    key: {value: {get_attribute: [second, key]}}
    mode: {value: {get_attribute: [second, mode]}}
"""


def test_each_relationship_has_attributes_of_its_own(converted: Converted) -> None:
    found = converted(RELATIONSHIPS, make="made=$$", take='echo "$key"')
    assert found.warnings == ()
    nodes = nodes_of(found)
    for name, mode in (("app.uses", "plain"), ("app.uses.1", "strict")):
        taken = nodes[f"{name}.post_configure_source"]
        wanted = f"get_attribute {name}.pre_configure_source:made"
        assert sorted(taken["args"]) == [f"key={wanted}", f"same={wanted}"]
        assert taken["env"] == {"mode": mode}


def test_an_output_asks_the_relationship_that_a_template_came_to(converted: Converted) -> None:
    found = converted(RELATIONSHIPS, make="made=$$", take='echo "$key"')
    brought = {"app.uses.pre_configure_source": {"made": "1"}, "app.uses.1.pre_configure_source": {"made": "2"}}
    assert found.written.evaluate(brought) == {"key": "2", "mode": "strict"}


def test_an_attribute_is_what_it_begins_with_until_an_operation_sets_it(converted: Converted) -> None:
    found = converted(
        """
node_types:
  my.Count:
    derived_from: tosca.nodes.Root
    attributes: {counted: {type: list, entry_schema: string, default: [none, yet]}, rest: {type: integer, default: 7}}
topology_template:
  node_templates:
    one:
      type: my.Count
      interfaces:
        Standard:
          operations:
            create:
              implementation: run.sh
              inputs:
                all: {get_attribute: [SELF, counted]}
                second: {get_attribute: [SELF, counted, 1]}
                text: {concat: [a, {get_attribute: [SELF, rest]}]}
              outputs: {counted: [SELF, counted], rest: [SELF, rest]}
            start: {implementation: run.sh, inputs: {all: {get_attribute: [SELF, counted]}}}
""",
        run="counted=1 rest=6",
    )
    assert found.warnings == ()
    create, start = (nodes_of(found)[f"one.{name}"] for name in ("create", "start"))
    assert create["env"] == {"all": '["none", "yet"]', "second": "yet", "text": "a7"}
    assert start["args"] == ["all=get_attribute one.create:counted"]
