"""Workflows as a user writes them: which steps are left, on whom they run, and what decides it."""

from pathlib import Path

import pytest

from gorchestrator.tosca.convert import Request, convert
from gorchestrator.tosca.faults import ToscaError
from gorchestrator.tosca.writing import Options

HEAD = """
tosca_definitions_version: tosca_simple_yaml_1_3
node_types:
  Disk:
    derived_from: tosca.nodes.Root
    properties: {size: {type: scalar-unit.size, default: 10 GB}, tag: {type: version, default: 1.10}}
relationship_types:
  Uses:
    derived_from: tosca.relationships.ConnectsTo
    interfaces: {Configure: {operations: {pre_configure_target: s.sh, pre_configure_source: s.sh}}}
topology_template:
  inputs: {n: {type: integer, default: 1}}
  node_templates:
    vm: {type: Compute}
    other: {type: Compute}
    app:
      type: tosca.nodes.SoftwareComponent
      requirements:
        - host: vm
        - dependency: {node: db, relationship: Uses}
        - dependency: {node: disk, relationship: Uses}
      interfaces: {Standard: {operations: {start: s.sh, stop: s.sh}}}
    db:
      type: tosca.nodes.SoftwareComponent
      requirements: [{host: other}]
      interfaces: {Standard: {operations: {start: s.sh, stop: s.sh}}}
    disk: {type: Disk, properties: {size: SIZE}, interfaces: {Standard: {operations: {start: s.sh}}}}
    small: {type: Disk, properties: {size: 1 GB}, interfaces: {Standard: {operations: {start: s.sh}}}}
  groups: {disks: {type: tosca.groups.Root, members: [disk, small]}}
  workflows:
"""
START = "activities: [{call_operation: Standard.start}]"


class Flow:
    """Converts the workflow ``w`` of a template; ``needs`` of its nodes, ``targets`` and ``warnings``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, steps: str, *, size: str = "10 GB", name: str = "w", **other) -> dict[str, list[str]]:
        (self._folder / "s.sh").write_text("#!/bin/sh\n")
        template = self._folder / "flow.yaml"
        template.write_text(HEAD.replace("SIZE", size) + steps)
        found = convert(template, Request(other.pop("inputs", {}), workflow=name, options=Options(), **other))
        self.warnings = [each.text for each in found.warnings]
        self.nodes = {node["name"]: node for node in found.gorch["nodes"]}
        return {name: sorted(node.get("needs", [])) for name, node in self.nodes.items()}

    def refused(self, steps: str, **other) -> str:
        with pytest.raises(ToscaError) as caught:
            self.run(steps, **other)
        return str(caught.value)


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    return Flow(tmp_path)


def test_what_only_a_failure_leads_to_does_not_run(flow: Flow) -> None:
    needs = flow.run(f"""
    w:
      steps:
        one: {{target: app, {START}, on_success: [two], on_failure: [undo]}}
        two: {{target: db, {START}}}
        undo: {{target: app, activities: [{{call_operation: Standard.stop}}], on_success: [more]}}
        more: {{target: db, activities: [{{call_operation: Standard.stop}}]}}
    """)
    assert needs == {"one": [], "two": ["one"]}
    assert [text.split(":")[0] for text in flow.warnings] == [
        "the step more is left out",
        "the step undo is left out",
    ]


def test_names_that_meet_lose_nothing(flow: Flow) -> None:
    needs = flow.run(f"""
    w:
      steps:
        s: {{target: app, activities: [{{call_operation: Standard.stop}}, {{call_operation: Standard.start}}],
             on_success: [s.1]}}
        s.1: {{target: db, {START}}}
    """)
    assert needs == {"s.1": [], "s.2": ["s.1"], "s.1'": ["s.2"]}


@pytest.mark.parametrize(
    ("size", "condition", "runs"),
    [
        ("10 GB", "{size: [{greater_than: 4 GB}]}", True),
        ("2 GB", "{size: [{in_range: [1 GB, 10 GB]}]}", True),
        ("512 MB", "{size: [{in_range: [1 GB, 10 GB]}]}", False),
        ("10 GB", "{tag: [{greater_than: 1.9}]}", True),
        ("10 GB", "{or: [{size: 1 GB}, {not: [{tag: 2.0}]}]}", True),
    ],
)
def test_conditions_compare_as_types_do(flow: Flow, size: str, condition: str, runs: bool) -> None:
    needs = flow.run(
        f"""
    w: {{steps: {{s: {{target: disk, filter: [{condition}], {START}}}, t: {{target: app, {START}}}}}}}
    """,
        size=size,
    )
    assert ("s" in needs) == runs


def test_a_filter_decides_for_each_member_of_a_group(flow: Flow) -> None:
    needs = flow.run(f"    w: {{steps: {{s: {{target: disks, filter: [{{size: 1 GB}}], {START}}}}}}}")
    assert list(needs) == ["s@small"]
    assert flow.warnings[0] == "s is left out on disk: its filter does not hold"


@pytest.mark.parametrize(
    ("conditions", "because"),
    [
        ("preconditions: [{target: zzz, condition: []}]", "a precondition needs a target, and 'zzz' is none"),
        ("preconditions: [{targett: disk}]", "unknown key targett; is it target?"),
        ("preconditions: [{target: disk, condition: [{assertt: []}]}]", "has no property or attribute assertt"),
        ("preconditions: [{target: disk, condition: [{size: [{bigger: 1}]}]}]", "unknown constraint bigger"),
        ("preconditions: [7]", "must be a map, but is a number"),
        ("preconditions: [{target: disk, condition: [{size: [{greater_than: 40 GB}]}]}]", "does not hold"),
    ],
)
def test_what_is_wrong_with_a_precondition_is_told(flow: Flow, conditions: str, because: str) -> None:
    told = flow.refused(f"""
    w:
      {conditions}
      steps: {{s: {{target: disk, {START}}}}}
    """)
    assert because in told
    assert "flow.yaml:" in told


def test_operations_of_relationships_run_at_their_end_for_each_of_them(flow: Flow) -> None:
    flow.run("""
    w:
      steps:
        at:
          target: app
          target_relationship: dependency
          activities: [{call_operation: Configure.pre_configure_target}]
    """)
    assert {name: node.get("target") for name, node in flow.nodes.items()} == {"at": "other", "at'": None}
    told = flow.refused(f"    w: {{steps: {{s: {{target: app, operation_host: NONSENSE, {START}}}}}}}")
    assert "unknown operation_host NONSENSE" in told


def test_inputs_of_a_workflow_may_be_called_as_those_of_the_topology(flow: Flow) -> None:
    steps = """
    w:
      inputs: {n: {type: integer}}
      steps:
        s: {target: app, activities: [{call_operation: {operation: Standard.start, inputs: {N: {get_input: n}}}}]}
    """
    flow.run(steps, inputs={"n": 7})
    assert flow.nodes["s"]["args"] == ["N=7"]


def test_a_workflow_of_the_template_stands_for_the_deployment(flow: Flow) -> None:
    steps = f"""
    deploy: {{steps: {{mine: {{target: app, {START}}}}}}}
    undeploy: {{steps: {{theirs: {{target: app, activities: [{{call_operation: Standard.stop}}]}}}}}}
    """
    assert list(flow.run(steps, name="")) == ["mine"]
    assert list(flow.run(steps, name="", undeploy=True)) == ["theirs"]


def test_what_a_delegate_leaves_out_is_told(flow: Flow) -> None:
    flow.run("""
    w:
      outputs: {x: [SELF, y]}
      steps: {s: {target: app, activities: [{delegate: {workflow: deploy, inputs: {a: 1}}}]}}
    """)
    told = " | ".join(flow.warnings)
    for text in ("outputs of a workflow are ignored", "inputs of deploy are ignored", "app.dependency are left out"):
        assert text in told


def test_inputs_of_a_call_see_the_node_that_it_is_for(flow: Flow) -> None:
    flow.run("""
    w:
      steps:
        s:
          target: disk
          activities:
            - call_operation: {operation: Standard.start, inputs: {SIZE: {get_property: [SELF, size]}}}
    """)
    assert flow.nodes["s"]["env"] == {"SIZE": "10 GB"}
