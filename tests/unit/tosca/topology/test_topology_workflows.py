"""Workflows and substitution: what is read of them, and what is wrong with them."""

import pytest

from gorchestrator.tosca.model import Runtime
from topology_support import Templates

FLOW = """
    topology_template:
      inputs: {zone: {type: string, default: north}}
      node_templates:
        machine: {type: tosca.nodes.Compute}
        server: {type: tosca.nodes.SoftwareComponent, requirements: [{host: machine}]}
      groups: {all: {type: tosca.groups.Root, members: [machine, server]}}
      workflows:
        backup:
          inputs: {level: {type: integer, default: 1}, name: {type: string}}
          preconditions: [{target: server, condition: [{state: [{equal: available}]}]}]
          steps:
            first:
              target: server
              activities:
                - call_operation:
                    operation: Standard.stop
                    inputs: {level: {get_input: level}, zone: {get_input: zone}}
                - set_state: stopped
              on_success: second
            second:
              target: all
              filter: [{zone: [{equal: {get_input: zone}}]}]
              activities: [{inline: OTHER}]
              on_failure: [third]
            third: {target: server, target_relationship: host, activities: [{delegate: deploy}]}
        other:
          inputs: {text: {type: string, default: plain}}
          steps:
            only:
              target: machine
              activities:
                - call_operation: {operation: Standard.start, inputs: {text: {get_input: text}}}
"""


def test_a_workflow_is_read(templates: Templates) -> None:
    flow = templates.resolve(FLOW.replace("OTHER", "other"), {"name": "n", "level": 2}).workflows["backup"]
    first, second, third = flow.steps.values()
    assert flow.inputs == {"level": 2, "name": "n"}
    assert [(each.kind, each.argument) for each in first.activities] == [
        ("call_operation", "Standard.stop"),
        ("set_state", "stopped"),
    ]
    assert first.activities[0].inputs == {"level": 2, "zone": "north"}
    assert (first.on_success, second.on_failure, second.target) == (["second"], ["third"], "all")
    assert second.filters == [{"zone": [{"equal": "north"}]}]
    assert (second.activities[0].argument, third.relationship) == ("other", "host")
    assert flow.preconditions[0]["target"] == "server"


def test_a_workflow_that_misses_an_input_is_known_by_it(templates: Templates) -> None:
    flows = templates.resolve(FLOW.replace("OTHER", "other")).workflows
    assert (flows["backup"].missing, flows["other"].missing) == (["name"], [])


def test_an_inlined_workflow_sees_the_inputs_that_it_is_given(templates: Templates) -> None:
    given = "{workflow: other, inputs: {text: {get_attribute: [server, state]}}}"
    flows = templates.resolve(FLOW.replace("OTHER", given)).workflows
    own = flows[flows["backup"].steps["second"].activities[0].argument]
    assert own.steps["only"].activities[0].inputs == {"text": Runtime("server", "state")}
    assert flows["other"].steps["only"].activities[0].inputs == {"text": "plain"}


def test_a_workflow_that_inlines_itself_with_inputs_is_refused(templates: Templates) -> None:
    again = "{workflow: backup, inputs: {level: 3}}"
    templates.refused(FLOW.replace("OTHER", again), "a workflow inlines itself: backup → backup")


@pytest.mark.parametrize(
    ("section", "because"),
    [
        ("[w]", "must be a map, but is a list"),
        ("{w: {step: {}}}", "unknown key step"),
        ("{w: {steps: [a]}}", "must be a map, but is a list"),
        ("{w: {steps: {a: {activities: [{set_state: x}]}}}}", "a step needs a target"),
        ("{w: {steps: {a: {target: none, activities: [{set_state: x}]}}}}", "unknown target none; there are m"),
        ("{w: {steps: {a: {target: m}}}}", "a step needs activities"),
        ("{w: {steps: {a: {target: m, activities: [{dance: x}]}}}}", "unknown activity dance"),
        (
            "{w: {steps: {a: {target: m, activities: [{set_state: [x]}]}}}}",
            "set_state needs a text, but there is a list",
        ),
        ("{w: {steps: {a: {target: m, activities: [{inline: none}]}}}}", "unknown workflow none; there are w"),
        ("{w: {steps: {a: {target: m, activities: [{set_state: x}], on_success: b}}}}", "unknown step b; there are a"),
        (
            "{w: {steps: {a: {target: m, target_relationship: r, activities: [{set_state: x}]}}}}",
            "has no requirement r",
        ),
        ("{w: {implementation: flow.bpmn}}", "a workflow in another language is not supported"),
    ],
)
def test_a_wrong_workflow_is_a_fault(templates: Templates, section: str, because: str) -> None:
    text = f"topology_template: {{node_templates: {{m: {{type: tosca.nodes.Root}}}}, workflows: {section}}}"
    templates.refused(text, because)


TYPES = """
    node_types:
      Shop:
        derived_from: tosca.nodes.Root
        properties: {city: {type: string}}
        attributes: {address: {type: string}}
        capabilities: {door: {type: tosca.capabilities.Endpoint}}
        requirements: [{supplier: {capability: tosca.capabilities.Endpoint}}]
"""


def own(mapping: str) -> str:
    return (
        TYPES
        + f"""
    topology_template:
      inputs: {{city: {{type: string, default: Wien}}}}
      substitution_mappings: {mapping}
      node_templates:
        shop: {{type: Shop, properties: {{city: {{get_input: city}}}}}}
    """
    )


def test_what_a_mapping_hands_out_may_stay_open(templates: Templates) -> None:
    mapping = "{node_type: Shop, capabilities: {door: [shop, door]}, requirements: {supplier: [shop, supplier]}}"
    topology = templates.resolve(own(mapping))
    assert topology.nodes["shop"].requirements == []
    assert any("substitution_mappings: ignored" in text for text in templates.warnings)
    templates.refused(own("{node_type: Shop}"), "needs the requirement supplier")


@pytest.mark.parametrize(
    ("mapping", "because"),
    [
        ("[Shop]", "must be a map, but is a list"),
        ("{node_type: Nothing}", "unknown node type Nothing"),
        ("{capabilities: {}}", "substitution mappings need a node_type"),
        ("{node_type: Shop, colour: red}", "unknown key colour"),
        ("{node_type: Shop, capabilities: {gate: [shop, door]}}", "has no gate among its capabilities; there are door"),
        ("{node_type: Shop, capabilities: {door: [none, door]}}", "unknown node template none"),
        ("{node_type: Shop, capabilities: {door: [shop, gate]}}", "shop has no gate"),
        ("{node_type: Shop, capabilities: {door: shop}}", "must be a list of a node template and a name"),
        ("{node_type: tosca.nodes.ObjectStorage}", "needs the property name, and the topology has no input name"),
        ("{node_type: Shop, substitution_filter: {filter: {}}}", "unknown key filter"),
        ("{node_type: Shop, substitution_filter: {node_filter: {properties: {a: 1}}}}", "must be a list, but is a map"),
    ],
)
def test_a_wrong_mapping_is_a_fault(templates: Templates, mapping: str, because: str) -> None:
    templates.refused(own(mapping), because)


def test_a_node_that_an_import_could_stand_for_is_deployed_as_it_is(templates: Templates) -> None:
    templates.file(
        "inner.yaml",
        "tosca_definitions_version: tosca_simple_yaml_1_3\n"
        + TYPES.replace("\n    ", "\n")
        + "topology_template:\n  inputs: {city: {type: string}}\n  substitution_mappings: {node_type: Shop}\n",
    )
    text = "imports: [inner.yaml]\ntopology_template: {node_templates: {shop: {type: Shop}}}"
    topology = templates.resolve(text)
    assert list(topology.nodes) == ["shop"]
    assert any("not put in place of nodes of type Shop" in text for text in templates.warnings)
    assert any("the requirement supplier stays open" in text for text in templates.warnings)
