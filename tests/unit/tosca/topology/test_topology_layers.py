"""What types and templates say of the same thing: which goes before which, and in whose file a name is looked up."""

from typing import Any

import pytest

from topology_support import Templates

APP = """
    node_types:
      App:
        derived_from: tosca.nodes.Root
        properties: {x: {type: string, default: of-app}}
        interfaces:
          Standard:
            inputs: {num: {type: integer, default: 80}, all: {type: string, default: type}}
            operations:
              create:
                implementation: {primary: a.sh, timeout: 5}
                inputs: {num: {type: integer, default: 81}, need: {type: string}}
"""


def inputs_of(templates: Templates, node: str) -> dict[str, Any]:
    return dict(templates.resolve(APP + node).nodes["app"].interfaces["Standard"]["create"].inputs)


@pytest.mark.parametrize(
    ("interface", "expected"),
    [
        ("{}", {"num": 81, "all": "type"}),
        ("{inputs: {num: 8080, all: mine}}", {"num": 8080, "all": "mine"}),
        ("{inputs: {num: 8080}, operations: {create: {inputs: {num: 1}}}}", {"num": 1, "all": "type"}),
        ("{inputs: {num: {type: integer, default: 5}}}", {"num": 5, "all": "type"}),
    ],
)
def test_what_a_template_gives_goes_before_defaults_of_its_type(
    templates: Templates, interface: str, expected: dict[str, Any]
) -> None:
    templates.file("a.sh", "")
    node = f"""
    topology_template:
      node_templates: {{app: {{type: App, interfaces: {{Standard: {interface}}}}}}}
    """
    assert inputs_of(templates, node) == expected
    assert any("goes without its required input need" in text for text in templates.warnings)


def test_an_implementation_without_a_file_changes_what_is_around_the_one_of_the_type(templates: Templates) -> None:
    templates.file("a.sh", "")
    node = """
    topology_template:
      node_templates:
        app: {type: App, interfaces: {Standard: {operations: {create: {implementation: {operation_host: HOST}}}}}}
    """
    create = templates.resolve(APP + node).nodes["app"].interfaces["Standard"]["create"]
    assert create.primary is not None
    assert (create.primary.file, create.timeout, create.host) == ("a.sh", 5, "HOST")


def test_a_definition_of_an_unknown_type_is_no_value(templates: Templates) -> None:
    templates.file("a.sh", "")
    templates.refused(
        """
    topology_template:
      node_templates:
        app:
          type: tosca.nodes.Root
          interfaces: {Standard: {operations: {create: {implementation: a.sh, inputs: {x: {type: strng, default: 4}}}}}}
    """,
        "is of an unknown type strng",
    )


def test_names_of_types_are_looked_up_where_they_are_written(templates: Templates) -> None:
    for file, parent in (("one.yaml", "HostedOn"), ("two.yaml", "ConnectsTo")):
        prefix = file[:3]
        templates.file(
            file,
            f"""
            tosca_definitions_version: tosca_simple_yaml_1_3
            data_types: {{D: {{properties: {{of_{prefix}: {{type: integer, required: false}}}}}}}}
            relationship_types: {{R: {{derived_from: tosca.relationships.{parent}}}}}
            node_types:
              {prefix}.Node:
                derived_from: tosca.nodes.Root
                requirements: [{{r: {{capability: tosca.capabilities.Node, relationship: R}}}}]
                interfaces:
                  Standard:
                    operations: {{create: {{inputs: {{d: {{type: D, default: {{of_{prefix}: 1}}}}}}}}}}
            """,
        )
    topology = templates.resolve("""
    imports:
      - {file: one.yaml, namespace_prefix: o}
      - {file: two.yaml, namespace_prefix: t}
    relationship_types: {R: {derived_from: tosca.relationships.Root}}
    topology_template:
      node_templates:
        a: {type: "o:one.Node", requirements: [{r: base}]}
        b: {type: "t:two.Node", requirements: [{r: base}]}
        base: {type: tosca.nodes.Root}
    """)
    for name, parent, field in (("a", "HostedOn", "of_one"), ("b", "ConnectsTo", "of_two")):
        (link,) = topology.nodes[name].requirements
        assert link.is_a(f"tosca.relationships.{parent}")
        assert topology.nodes[name].interfaces["Standard"]["create"].inputs == {"d": {field: 1}}


@pytest.mark.parametrize(
    ("host", "because"),
    [
        (
            "{node_filter: {capabilities: [{host: {properties: [{num_cpus: {greater_than: 2}}]}}]}}",
            "is met by none of d",
        ),
        ("{node: vague}", "vague is abstract"),
    ],
)
def test_a_host_that_is_not_there_is_a_fault(templates: Templates, host: str, because: str) -> None:
    templates.refused(
        f"""
    topology_template:
      node_templates:
        d: {{type: Compute, capabilities: {{host: {{properties: {{num_cpus: 1}}}}}}}}
        vague: {{type: tosca.nodes.Abstract.Compute}}
        s: {{type: SoftwareComponent, requirements: [{{host: {host}}}]}}
    """,
        because,
    )


def test_a_filter_beside_a_name_is_told(templates: Templates) -> None:
    templates.resolve("""
    topology_template:
      node_templates:
        d: {type: Compute}
        s: {type: SoftwareComponent, requirements: [{host: {node: d, node_filter: {properties: [{x: 1}]}}}]}
    """)
    assert any("the node_filter of host is ignored" in text for text in templates.warnings)


def test_a_relationship_template_may_ask_its_ends(templates: Templates) -> None:
    templates.file("a.sh", "")
    topology = templates.resolve(
        APP
        + """
    relationship_types: {Told: {derived_from: tosca.relationships.ConnectsTo, properties: {p: {type: string}}}}
    topology_template:
      node_templates:
        app: {type: App, requirements: [{dependency: {node: other, relationship: told}}]}
        other: {type: tosca.nodes.Root}
      relationship_templates: {told: {type: Told, properties: {p: {get_property: [SOURCE, x]}}}}
    """
    )
    assert topology.nodes["app"].requirements[0].properties == {"p": "of-app"}


def test_what_looks_like_a_function_and_is_none_is_told(templates: Templates) -> None:
    templates.file("a.sh", "")
    templates.resolve("""
    topology_template:
      inputs: {x: {type: string, default: y}}
      node_templates:
        app:
          type: tosca.nodes.Root
          interfaces:
            Standard:
              operations: {create: {implementation: a.sh, inputs: {a: {get_input: x, y: 1}, b: {get_inputs: x}}}}
    """)
    assert sum("is taken for a key" in text for text in templates.warnings) == 2


@pytest.mark.parametrize("asked", ["[SELF, [a], x]", "[SELF, {a: b}, x]"])
def test_a_path_of_other_things_than_names_is_refused(templates: Templates, asked: str) -> None:
    templates.refused(
        f"""
    topology_template:
      node_templates: {{s: {{type: SoftwareComponent, properties: {{component_version: {{get_property: {asked}}}}}}}}}
    """,
        "has no property",
    )


def test_a_required_input_is_not_given_by_null(templates: Templates) -> None:
    templates.refused(
        "topology_template: {inputs: {x: {type: string}}, node_templates: {}}", "the input x is required", {"x": None}
    )


def test_a_pattern_takes_no_time_without_end(templates: Templates) -> None:
    text = 'topology_template: {inputs: {x: {type: string, constraints: [{pattern: "(a+)+$"}]}}, node_templates: {}}'
    templates.refused(text, "does not match the pattern", {"x": "a" * 60 + "!"})
