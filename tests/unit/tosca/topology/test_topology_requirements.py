"""Requirements: every notation leads to its target, and what names none is matched where exactly one fits."""

import pytest

from topology_support import Templates

HOSTED = "tosca.relationships.HostedOn"


@pytest.mark.parametrize(
    "written",
    [
        "host: machine",
        "host: {node: machine}",
        "host: {node: machine, capability: host}",
        "host: {node: machine, capability: tosca.capabilities.Container}",
        "host: {node: machine, relationship: tosca.relationships.HostedOn}",
        "host: {node: machine, relationship: HostedOn}",
        "host: {node: machine, relationship: {type: tosca.relationships.HostedOn}}",
        "host: {node: machine, relationship: standing}",
        "host: {node: tosca.nodes.Compute}",
        "host: tosca.nodes.Compute",
        "host: {capability: tosca.capabilities.Container}",
        "host: {node_filter: {capabilities: [{host: {properties: [{num_cpus: {in_range: [2, 4]}}]}}]}}",
        "host: {node_filter: {capabilities: [{tosca.capabilities.Container: {properties: [{num_cpus: 2}]}}]}}",
        "host: {node_filter: {properties: []}}",
        "host:",
    ],
)
def test_each_notation_of_a_requirement(templates: Templates, written: str) -> None:
    text = f"""
        topology_template:
          relationship_templates: {{standing: {{type: tosca.relationships.HostedOn}}}}
          node_templates:
            machine: {{type: tosca.nodes.Compute, capabilities: {{host: {{properties: {{num_cpus: 2}}}}}}}}
            server:
              type: tosca.nodes.SoftwareComponent
              requirements:
                - {written}
    """
    (link,) = templates.resolve(text).nodes["server"].requirements
    assert (link.requirement, link.source, link.target, link.type) == ("host", "server", "machine", HOSTED)
    assert link.capability == "host"


def test_a_requirement_that_is_not_mentioned_takes_the_only_node_that_fits(templates: Templates) -> None:
    text = """
        topology_template:
          node_templates:
            machine: {type: tosca.nodes.Compute}
            server: {type: tosca.nodes.WebServer}
    """
    topology = templates.resolve(text)
    assert topology.host_of("server") == "machine"
    assert any("host is fulfilled by machine, the only one that fits" in text for text in templates.warnings)


def test_a_requirement_that_several_nodes_fit_is_not_guessed(templates: Templates) -> None:
    text = """
        topology_template:
          node_templates:
            one: {type: tosca.nodes.Compute}
            two: {type: tosca.nodes.Compute}
            server: {type: tosca.nodes.WebServer}
    """
    templates.refused(text, "host could be fulfilled by each of one, two: name the one it is")


def test_a_filter_decides_between_nodes(templates: Templates) -> None:
    text = """
        topology_template:
          node_templates:
            small: {type: tosca.nodes.Compute, capabilities: {host: {properties: {mem_size: 1 GB}}}}
            large: {type: tosca.nodes.Compute, capabilities: {host: {properties: {mem_size: 4096 MB}}}}
            vague: {type: tosca.nodes.Compute}
            server:
              type: tosca.nodes.SoftwareComponent
              requirements:
                - host:
                    node_filter:
                      capabilities: [{host: {properties: [{mem_size: {greater_or_equal: 2 GB}}]}}]
    """
    assert templates.resolve(text).host_of("server") == "large"


def test_a_requirement_that_nothing_fits(templates: Templates) -> None:
    alone = "topology_template: {node_templates: {server: {type: tosca.nodes.WebServer}}}"
    templates.refused(alone, "needs the requirement host, and nothing in the template fits it")
    filtered = """
        topology_template:
          node_templates:
            dbms:
              type: tosca.nodes.DBMS
              requirements: [{host: {node_filter: {capabilities: [{host: {properties: [{num_cpus: 1}]}}]}}}]
    """
    assert templates.resolve(filtered).nodes["dbms"].requirements == []
    assert any("nothing in the template fits host" in text for text in templates.warnings)


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ("[{host: nowhere}]", "nowhere is neither a node template nor a node type"),
        ("[{host: 7}]", "must name a node or be a map, but is a number"),
        ("[{host: {nod: machine}}]", "unknown key nod"),
        ("[{host: {node: [machine]}}]", "must be a text, but is a list"),
        ("[{host: machine}, {host: machine}]", "has the requirement host 2 times, but at most 1 may be"),
        ("[{host: {node: machine, relationship: Nothing}}]", "unknown relationship type Nothing"),
        ("[{host: {node: machine, relationship: [HostedOn]}}]", "but is a list"),
        ("[host]", "must be a map with one key, its name, but is a text"),
        ("host", "must be a list, but is a text"),
        ("[{garden: {capability: tosca.capabilities.Node}}]", "has no requirement garden"),
        (
            "[{host: machine}, {local: {node: disk, relationship: AttachesTo}}]",
            "needs a value for its property location",
        ),
        ("[{host: {node_filter: {properties: {a: 1}}}}]", "must be a list, but is a map"),
        ("[{host: {node_filter: {colours: []}}}]", "unknown key colours"),
    ],
)
def test_a_wrong_requirement_is_a_fault(templates: Templates, written: str, because: str) -> None:
    text = f"""
        topology_template:
          node_templates:
            machine: {{type: tosca.nodes.Compute}}
            disk: {{type: tosca.nodes.BlockStorage, properties: {{size: 1 GB}}}}
            server: {{type: tosca.nodes.SoftwareComponent, requirements: {written}}}
    """
    templates.refused(text, because)


def test_a_requirement_that_no_type_declares_is_taken_as_it_is(templates: Templates) -> None:
    text = """
        topology_template:
          node_templates:
            machine: {type: tosca.nodes.Compute}
            other: {type: tosca.nodes.Root, requirements: [{near: machine}]}
    """
    (link,) = templates.resolve(text).nodes["other"].requirements
    assert link.type == "tosca.relationships.DependsOn"
    assert any("has no requirement near" in text for text in templates.warnings)


def test_a_relationship_has_what_type_template_and_requirement_say(templates: Templates) -> None:
    text = """
        relationship_types:
          Wire:
            derived_from: tosca.relationships.ConnectsTo
            properties: {length: {type: integer, default: 1}, colour: {type: string}}
            interfaces:
              Configure:
                operations:
                  add_source: {implementation: add.sh, inputs: {speed: {type: integer, default: 9}}}
                  pre_configure_target: target.sh
        topology_template:
          relationship_templates:
            red:
              type: Wire
              properties: {colour: red}
              interfaces:
                Configure:
                  operations:
                    add_source: {inputs: {speed: 10}}
                    pre_configure_target: other.sh
          node_templates:
            machine: {type: tosca.nodes.Compute}
            one:
              type: tosca.nodes.Root
              requirements: [{dependency: {node: machine, relationship: red}}]
    """
    for name in ("add.sh", "target.sh", "other.sh"):
        templates.file(name, name)
    (link,) = templates.resolve(text).nodes["one"].requirements
    assert link.is_a("tosca.relationships.ConnectsTo")
    assert link.properties == {"length": 1, "colour": "red"}
    added, target = link.interfaces["Configure"]["add_source"], link.interfaces["Configure"]["pre_configure_target"]
    assert added.primary is not None
    assert (added.primary.content, added.inputs) == (b"add.sh", {"speed": 10})
    assert target.primary is not None
    assert target.primary.content == b"other.sh"
