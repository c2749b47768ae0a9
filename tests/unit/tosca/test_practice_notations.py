"""Rarer notations, types of later versions, and values that scripts get all the same."""

from pathlib import Path

import pytest

from gorchestrator.tosca.convert import Request, convert
from gorchestrator.tosca.faults import ToscaError
from gorchestrator.tosca.writing import Options
from tosca_support import Converted, nodes_of


def test_an_artifact_without_a_file_has_that_of_its_type(converted: Converted) -> None:
    found = converted(
        """
artifact_types: {my.Script: {derived_from: tosca.artifacts.Implementation.Bash, properties: {level: {type: integer}}}}
node_types:
  my.Node:
    derived_from: tosca.nodes.Root
    artifacts:
      run: {file: run.sh, type: my.Script, properties: {level: 1}}
      plain: run.sh
    interfaces: {Standard: {operations: {create: run, start: plain}}}
topology_template:
  node_templates:
    one: {type: my.Node, artifacts: {run: {description: Ours}, plain: {properties: {level: 2}}}}
""",
        run="true",
    )
    assert found.warnings == ()
    assert [node["artifact"] for node in found.gorch["nodes"]] == ["#!/bin/sh\ntrue\n"] * 2


def test_an_attribute_may_have_a_description(converted: Converted) -> None:
    found = converted("""
data_types:
  my.Pair: {properties: {value: {type: integer}}}
  my.Place: {properties: {street: {type: string}}}
  my.Level: {derived_from: integer}
node_types:
  my.Node:
    derived_from: tosca.nodes.Root
    attributes:
      plain: {type: string}
      level: {type: my.Level}
      place: {type: my.Place}
      pair: {type: my.Pair}
      many: {type: map, entry_schema: integer}
topology_template:
  node_templates:
    one:
      type: my.Node
      attributes:
        plain: {description: A text, value: x}
        level: {value: 7}
        place: {value: {street: Main}}
        pair: {value: 1}
        many: {value: 2}
  outputs:
    all:
      value:
        - {get_attribute: [one, plain]}
        - {get_attribute: [one, level]}
        - {get_attribute: [one, place]}
        - {get_attribute: [one, pair]}
        - {get_attribute: [one, many]}
""")
    assert found.written.evaluate({}) == {"all": ["x", 7, {"street": "Main"}, {"value": 1}, {"value": 2}]}


def test_a_property_is_found_in_the_relationship_of_a_requirement(converted: Converted) -> None:
    found = converted("""
relationship_types: {my.Uses: {derived_from: tosca.relationships.ConnectsTo, properties: {retries: {type: integer}}}}
topology_template:
  node_templates:
    one: {type: tosca.nodes.Root}
    two:
      type: tosca.nodes.Root
      requirements: [{dependency: {node: one, relationship: {type: my.Uses, properties: {retries: 5}}}}]
  outputs: {retries: {value: {get_property: [two, dependency, retries]}}}
""")
    assert found.written.evaluate({}) == {"retries": 5}


def test_amounts_may_be_written_as_any_number(converted: Converted) -> None:
    found = converted("""
node_types:
  my.User: {derived_from: tosca.nodes.Root, requirements: [{host: {capability: tosca.capabilities.Compute}}]}
topology_template:
  node_templates:
    small: {type: Compute, capabilities: {host: {properties: {mem_size: .5 GB}}}}
    large: {type: Compute, capabilities: {host: {properties: {mem_size: 5e9 B}}}}
    one:
      type: my.User
      requirements: [{host: {node_filter: {capabilities: [{host: {properties: [{mem_size: {greater_than: 1 GB}}]}}]}}}]
  outputs: {one: {value: {get_property: [one, host, mem_size]}}}
""")
    assert found.written.evaluate({}) == {"one": "5e9 B"}


def test_null_is_a_type_with_one_value(converted: Converted) -> None:
    text = """
data_types: {my.Data: {properties: {nothing: {type: 'null'}, some: {type: integer}}}}
node_types:
  my.Node: {derived_from: tosca.nodes.Root, properties: {nothing: {type: 'null'}, data: {type: my.Data}}}
topology_template: {node_templates: {one: {type: my.Node, properties: {nothing: %s, data: {some: 1}}}}}
"""
    assert converted(text % "null").warnings == ()
    with pytest.raises(ToscaError, match="must be null, but is a number"):
        converted(text % "5")


def test_types_of_later_versions_are_what_the_short_names_mean(converted: Converted) -> None:
    found = converted("""
node_types: {my.User: {derived_from: tosca.nodes.Root, properties: {port: {type: 'tosca:PortInfo'}}}}
topology_template:
  node_templates:
    machine:
      type: 'tosca:Compute'
      requirements:
        - local_storage: {node: old, relationship: {type: AttachesTo, properties: {location: /a}}}
        - local_storage: {node: new, relationship: {type: AttachesTo, properties: {location: /b}}}
    old: {type: 'tosca:BlockStorage', properties: {name: disk, size: 1 GB}}
    new: {type: tosca.nodes.Storage.BlockStorage, properties: {name: disk, size: 1 GB}}
    server: {type: WebServer, requirements: [{host: {node: machine, capability: tosca.capabilities.Compute}}]}
    user: {type: my.User, properties: {port: {addresses: [10.0.0.1]}}}
""")
    assert found.warnings == ()


def test_a_step_may_have_no_activity(converted: Converted, tmp_path: Path) -> None:
    template = """
topology_template:
  node_templates: {one: {type: tosca.nodes.Root, interfaces: {Standard: {operations: {stop: run.sh, start: run.sh}}}}}
  workflows:
    again:
      steps:
        begin: {target: one, activities: [], on_success: [stop]}
        stop: {target: one, activities: [{call_operation: Standard.stop}], on_success: [between]}
        between: {target: one, activities: [], on_success: [start]}
        start: {target: one, activities: [{call_operation: Standard.start}]}
"""
    converted(template, run="true")
    workflow = Request({}, workflow="again", options=Options(local=True))
    nodes = nodes_of(convert(tmp_path / "template.yaml", workflow))
    assert list(nodes) == ["stop", "start"]
    assert nodes["start"]["needs"] == ["stop"]


def test_what_cannot_be_a_call_is_no_call(converted: Converted) -> None:
    found = converted("""
node_types: {my.Node: {derived_from: tosca.nodes.Root, properties: {login: {type: tosca.datatypes.Credential}}}}
topology_template:
  node_templates:
    one: {type: my.Node, properties: {login: {token: secret}}}
    two: {type: my.Node, properties: {login: {token: secret, user: me}}}
  outputs:
    all: {value: [{get_property: [one, login, token]}, {get_property: [two, login, user]}]}
    odd: {value: {concat: [a, b], other: c}}
""")
    assert found.written.evaluate({})["all"] == ["secret", "me"]
    (warning,) = found.warnings
    assert "outputs.odd.value.concat: concat is taken for a key, and not for a function" in str(warning)


def test_a_script_gets_anything_as_a_text(converted: Converted) -> None:
    found = converted(
        """
node_types:
  my.Node:
    derived_from: tosca.nodes.Root
    properties: {ports: {type: list, default: [80, 81]}, active: {type: boolean, default: true}}
    interfaces:
      Standard:
        inputs:
          ports: {type: string, value: {get_property: [SELF, ports]}}
          bare: {value: {get_property: [SELF, ports]}}
        operations:
          create:
            implementation: run.sh
            inputs: {on: {type: string, default: {get_property: [SELF, active]}}, many: {type: integer, default: 1}}
topology_template:
  node_templates:
    one: {type: my.Node, interfaces: {Standard: {operations: {create: {inputs: {map: {value: 1}}}}}}}
""",
        run="true",
    )
    (node,) = found.gorch["nodes"]
    assert node["env"] == {"ports": "[80, 81]", "bare": "[80, 81]", "on": "true", "many": "1", "map": '{"value": 1}'}
    told = sorted(each.text for each in found.warnings)
    assert [text.partition(",")[0] for text in told] == ["is a boolean", "is a list"]


def test_hosts_of_all_kinds_offer_what_later_versions_call_compute(converted: Converted) -> None:
    found = converted("""
node_types:
  my.App:
    derived_from: tosca.nodes.WebApplication
    requirements: [{host: {capability: tosca.capabilities.Compute, relationship: HostedOn}}]
  my.Data:
    derived_from: tosca.nodes.Database
    requirements: [{host: {capability: tosca.capabilities.Compute, relationship: HostedOn}}]
  my.Boxed:
    derived_from: tosca.nodes.Container.Application
    requirements: [{host: {capability: tosca.capabilities.Compute, relationship: HostedOn}}]
topology_template:
  node_templates:
    machine: {type: Compute}
    web: {type: WebServer, requirements: [{host: machine}]}
    dbms: {type: DBMS, requirements: [{host: machine}]}
    runtime: {type: tosca.nodes.Container.Runtime, requirements: [{host: machine}]}
    app: {type: my.App, requirements: [{host: web}]}
    data: {type: my.Data, properties: {name: main}, requirements: [{host: dbms}]}
    boxed: {type: my.Boxed, requirements: [{host: runtime}, {network: {node: app, capability: app_endpoint}}]}
""")
    assert found.warnings == ()


def test_a_connection_may_have_a_credential(converted: Converted) -> None:
    found = converted("""
topology_template:
  node_templates:
    one: {type: tosca.nodes.Root}
    two:
      type: tosca.nodes.Root
      requirements:
        - dependency: {node: one, relationship: {type: ConnectsTo, properties: {credential: {token: t, user: u}}}}
  outputs: {user: {value: {get_property: [two, dependency, credential, user]}}}
""")
    assert found.written.evaluate({}) == {"user": "u"}
