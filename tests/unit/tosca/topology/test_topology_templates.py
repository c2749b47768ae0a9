"""Inputs, node templates, operations, groups, policies and outputs: what they come to, and what is wrong with them."""

from typing import Any

import pytest

from gorchestrator.tosca.model import Runtime
from topology_support import Templates


def node(content: str, more: str = "") -> str:
    return f"""
        node_types:
          Service:
            derived_from: tosca.nodes.Root
            properties:
              port: {{type: integer, default: 80, constraints: [{{in_range: [1, 65535]}}]}}
              size: {{type: scalar-unit.size, required: false}}
            attributes: {{address: {{type: string}}}}
            capabilities: {{api: {{type: tosca.capabilities.Endpoint}}}}
            artifacts: {{image: {{file: image.txt, type: tosca.artifacts.File}}}}
            interfaces:
              Standard:
                inputs: {{level: {{type: integer, default: 1}}}}
                operations:
                  create: {{implementation: type.sh, inputs: {{name: {{type: string}}}}}}
                  start: type.sh
        topology_template:
          inputs: {{port: {{type: integer, default: 81}}}}
          node_templates:
            one: {content}
          {more}
    """


@pytest.fixture(autouse=True)
def files(templates: Templates) -> None:
    for name in ("type.sh", "own.sh", "library.sh", "image.txt"):
        templates.file(name, name)


def test_a_node_has_what_its_type_gives_it(templates: Templates) -> None:
    one = templates.resolve(node("{type: Service}")).nodes["one"]
    assert one.is_a("tosca.nodes.Root")
    assert one.properties == {"port": 80}
    assert one.capabilities["api"]["protocol"] == "tcp"
    assert one.artifacts["image"].content == b"image.txt"
    create = one.interfaces["Standard"]["create"]
    assert create.primary is not None
    assert (create.primary.file, create.primary.content, create.inputs) == ("type.sh", b"type.sh", {"level": 1})
    assert one.interfaces["Standard"]["stop"].primary is None


@pytest.mark.parametrize(
    "written",
    [
        "{Standard: {create: own.sh}}",
        "{Standard: {operations: {create: own.sh}}}",
        "{Standard: {create: {implementation: own.sh}}}",
        "{Standard: {operations: {create: {implementation: {primary: own.sh}}}}}",
        "{Standard: {operations: {create: {implementation: {file: own.sh}}}}}",
        "{Standard: {operations: {create: {implementation: {primary: {file: own.sh, type: tosca.artifacts.File}}}}}}",
        "{Standard: {operations: {create: {implementation: mine}}}}",
        "{tosca.interfaces.node.lifecycle.Standard: {create: own.sh}}",
    ],
)
def test_each_notation_of_an_operation(templates: Templates, written: str) -> None:
    content = f"{{type: Service, artifacts: {{mine: own.sh}}, interfaces: {written}}}"
    create = templates.resolve(node(content)).nodes["one"].interfaces["Standard"]["create"]
    assert create.primary is not None
    assert create.primary.content == b"own.sh"


def test_what_an_implementation_says(templates: Templates) -> None:
    implementation = "{primary: own.sh, dependencies: [library.sh, image], timeout: 5 m, operation_host: ORCHESTRATOR}"
    content = (
        f"{{type: Service, interfaces: {{Standard: {{operations: {{create: {{implementation: {implementation}}}}}}}}}}}"
    )
    create = templates.resolve(node(content)).nodes["one"].interfaces["Standard"]["create"]
    assert [each.content for each in create.dependencies] == [b"library.sh", b"image.txt"]
    assert (create.timeout, create.host) == (300.0, "ORCHESTRATOR")


@pytest.mark.parametrize(
    ("interfaces", "inputs"),
    [
        ("{Standard: {operations: {create: {inputs: {name: x}}}}}", {"level": 1, "name": "x"}),
        ("{Standard: {inputs: {level: 2}}}", {"level": 2}),
        ("{Standard: {inputs: {level: 2}, create: {inputs: {level: 3}}}}", {"level": 3}),
        ("{Standard: {create: {inputs: {more: {type: string, default: m}}}}}", {"level": 1, "more": "m"}),
        ("{Standard: {create: {inputs: {more: {type: string}}}}}", {"level": 1}),
        ("{Standard: {create: {inputs: {more: {type: red}}}}}", {"level": 1, "more": {"type": "red"}}),
    ],
)
def test_inputs_of_operations_are_merged(templates: Templates, interfaces: str, inputs: dict[str, Any]) -> None:
    one = templates.resolve(node(f"{{type: Service, interfaces: {interfaces}}}")).nodes["one"]
    assert one.interfaces["Standard"]["create"].inputs == inputs


@pytest.mark.parametrize(
    ("content", "because"),
    [
        ("{type: Nothing}", "unknown node type Nothing"),
        ("{properties: {port: 1}}", "a node template needs a type"),
        ("[Service]", "must be a map, but is a list"),
        ("{type: [Service]}", "must be a text, but is a list"),
        ("{type: Service, propertys: {}}", "unknown key propertys"),
        ("{type: Service, properties: [port]}", "must be a map, but is a list"),
        ("{type: Service, properties: {colour: red}}", "one has no property colour; there are port, size"),
        ("{type: Service, properties: {port: many}}", "port"),
        ("{type: Service, properties: {port: 70000}}", "port"),
        ("{type: Service, properties: {port: {get_input: none}}}", "unknown input none"),
        ("{type: Service, properties: {size: 10}}", "size"),
        ("{type: tosca.nodes.ObjectStorage}", "one needs a value for its property name"),
        ("{type: Service, attributes: {colour: red}}", "one has no attribute colour"),
        ("{type: Service, capabilities: {door: {}}}", "has no capability door; there are"),
        ("{type: Service, capabilities: {api: {properties: {colour: 1}}}}", "one.api has no property colour"),
        ("{type: Service, capabilities: {api: {num: 1}}}", "unknown key num"),
        ("{type: Service, interfaces: {Standard: {dance: own.sh}}}", "has no operation dance"),
        ("{type: Service, interfaces: {Dance: {start: own.sh}}}", "has no interface Dance"),
        ("{type: Service, interfaces: {Standard: {create: 7}}}", "must be an implementation or a map"),
        ("{type: Service, interfaces: {Standard: {create: {inputs: [1]}}}}", "must be a map, but is a list"),
        ("{type: Service, interfaces: {Standard: {create: {implementation: {timeout: soon}}}}}", "must be a time"),
        (
            "{type: Service, interfaces: {Standard: {create: {implementation: {operation_host: moon}}}}}",
            "unknown operation_host",
        ),
        ("{type: Service, interfaces: {Standard: {create: 'https://example.org/x.sh'}}}", "is on the network"),
        ("{type: Service, artifacts: {a: {type: tosca.artifacts.File}}}", "the artifact a needs a file"),
        ("{type: Service, directives: [select]}", "one is abstract (select)"),
        ("{type: Service, copy: two}", "there is no template two to copy"),
    ],
)
def test_a_wrong_node_template_is_a_fault(templates: Templates, content: str, because: str) -> None:
    templates.refused(node(content), because)


def test_a_missing_script_of_a_folder_is_a_warning(templates: Templates) -> None:
    content = "{type: Service, interfaces: {Standard: {create: elsewhere.sh}}}"
    create = templates.resolve(node(content)).nodes["one"].interfaces["Standard"]["create"]
    assert create.primary is not None
    assert create.primary.content is None
    assert any("there is no file elsewhere.sh" in text for text in templates.warnings)


def test_a_copy_takes_over_what_it_does_not_say_itself(templates: Templates) -> None:
    text = node(
        "{type: Service, properties: {port: 1, size: 1 GB}}\n"
        "            two: {copy: one, type: Service, properties: {port: 2}}"
    )
    two = templates.resolve(text).nodes["two"]
    assert two.properties["port"] == 2
    assert "size" in two.properties
    templates.refused(
        text.rstrip() + "\n            three: {copy: two}\n", "two cannot be copied, for it is a copy itself"
    )


def inputs_of(section: str) -> str:
    return f"topology_template: {{inputs: {section}, outputs: {{x: {{value: {{get_input: x}}}}}}}}"


@pytest.mark.parametrize(
    ("section", "given", "value"),
    [
        ("{x: {type: integer, default: 3}}", {}, 3),
        ("{x: {type: integer, default: 3}}", {"x": 4}, 4),
        ("{x: {type: integer}}", {"x": 4}, 4),
        ("{x: {type: string, required: false}}", {}, None),
        ("{x: {type: list, entry_schema: {type: string}}}", {"x": ["a"]}, ["a"]),
    ],
)
def test_inputs(templates: Templates, section: str, given: dict[str, Any], value: object) -> None:
    assert templates.resolve(inputs_of(section), given).outputs == {"x": value}


@pytest.mark.parametrize(
    ("section", "given", "because"),
    [
        ("{x: {type: integer}}", {}, "the input x is required and has no value"),
        ("{x: {type: integer, default: two}}", {}, "two"),
        ("{x: {type: integer}}", {"x": "two"}, "two"),
        ("{x: {type: integer, constraints: [{valid_values: [1, 2]}]}}", {"x": 3}, "3"),
        ("{x: {type: integer, default: 1}}", {"y": 3}, "the template has no input y; there are x"),
        ("[x]", {}, "must be a map, but is a list"),
    ],
)
def test_wrong_inputs(templates: Templates, section: str, given: dict[str, Any], because: str) -> None:
    templates.refused(inputs_of(section), because, given)


def test_groups_and_policies(templates: Templates) -> None:
    more = """
          groups: {all: {type: tosca.groups.Root, members: [one]}}
          policies: [{near: {type: tosca.policies.Placement, targets: [all, one]}}]
    """
    topology = templates.resolve(node("{type: Service}", more.strip()))
    assert topology.groups == {"all": ["one"]}
    assert any("the policy near is ignored" in text for text in templates.warnings)


@pytest.mark.parametrize(
    ("more", "because"),
    [
        ("groups: {all: {type: tosca.groups.Root, members: [none]}}", "there is no none; there are one"),
        ("groups: {all: {members: [one]}}", "a group needs a type"),
        ("groups: [all]", "must be a map, but is a list"),
        ("policies: [{near: {type: Nothing}}]", "unknown policy type Nothing"),
        ("policies: [{near: {type: tosca.policies.Placement, targets: [none]}}]", "there is no none"),
        ("policies: [{near: {type: tosca.policies.Placement, triggers: {a: 1}}}]", "must be a map, but is a number"),
        ("outputs: {x: 1}", "must be a map, but is a number"),
        ("outputs: {x: {}}", "an output needs a value"),
        ("outputs: {x: {value: {get_attribute: [SELF, state]}}}", "SELF has no meaning here"),
        ("outputs: {x: {value: {get_attribute: [HOST, state]}}}", "HOST has no meaning here"),
        ("colours: {}", "unknown key colours"),
    ],
)
def test_wrong_sections(templates: Templates, more: str, because: str) -> None:
    templates.refused(node("{type: Service}", more), because)


def test_outputs(templates: Templates) -> None:
    more = "outputs: {address: {value: {get_attribute: [one, address]}}, port: {value: {get_property: [one, port]}}}"
    content = "{type: Service, properties: {port: {get_input: port}}}"
    assert templates.resolve(node(content, more)).outputs == {"address": Runtime("one", "address"), "port": 81}


def test_a_fault_says_file_line_and_path(templates: Templates) -> None:
    text = (
        "topology_template:\n  node_templates:\n    a:\n      type: tosca.nodes.Root\n      properties:\n        x: 1\n"
    )
    (fault,) = templates.faults(text)
    assert "template.yaml:7: topology_template.node_templates.a.properties.x: a has no property x" in fault


def test_all_faults_are_told_at_once(templates: Templates) -> None:
    text = node("{type: Service, properties: {port: many, colour: 1}}", "outputs: {x: {value: {get_input: none}}}")
    assert len(templates.faults(text)) == 3
