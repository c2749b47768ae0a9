"""Functions: what they come to, what only a run can know, and what is wrong with a call."""

import pytest

from gorchestrator.tosca.model import Runtime, Text, Token
from topology_support import Templates

NODES = """
    node_types:
      Service:
        derived_from: tosca.nodes.SoftwareComponent
        properties:
          port: {type: integer, default: 80}
          url: {type: string, required: false}
          names: {type: list, entry_schema: {type: string}, default: [one, two]}
        attributes:
          address: {type: string}
          parts: {type: map, entry_schema: {type: string}}
        capabilities:
          api: {type: tosca.capabilities.Endpoint}
        requirements:
          - peer: {capability: tosca.capabilities.Endpoint, occurrences: [0, 1]}
      Machine:
        derived_from: tosca.nodes.Compute
        properties:
          zone: {type: string, default: north}
    topology_template:
      inputs:
        user: {type: string, default: ada}
        place: {type: map, entry_schema: {type: string}, default: {city: Wien}}
      node_templates:
        host: {type: Machine}
        db:
          type: Service
          capabilities:
            api: {properties: {port: 5432}}
          requirements: [{host: host}]
        app:
          type: Service
          properties: {port: 8080}
          artifacts:
            page: {file: page.html, type: tosca.artifacts.File}
          requirements:
            - host: host
            - peer: db
          interfaces:
            Standard:
              operations:
                configure:
                  implementation: run.sh
                  inputs:
                    value: VALUE
"""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{get_input: user}", "ada"),
        ("{get_input: [place, city]}", "Wien"),
        ("{get_property: [SELF, port]}", 8080),
        ("{get_property: [db, port]}", 80),
        ("{get_property: [SELF, names, 1]}", "two"),
        ("{get_property: [HOST, zone]}", "north"),
        ("{get_property: [db, api, port]}", 5432),
        ("{get_property: [SELF, peer, port]}", 5432),
        ("{get_property: [SELF, peer, names, 0]}", "one"),
        ("{get_attribute: [SELF, port]}", 8080),
        ("{get_attribute: [db, tosca_name]}", "db"),
        ("{get_attribute: [db, address]}", Runtime("db", "address")),
        ("{get_attribute: [db, parts, left]}", Runtime("db", "parts", None, ("left",))),
        ("{get_attribute: [HOST, private_address]}", Runtime("host", "private_address")),
        ("{get_operation_output: [SELF, Standard, create, id]}", Runtime("app", "id", ("Standard", "create"))),
        ("{get_artifact: [SELF, page]}", "page.html"),
        ("{get_nodes_of_type: Service}", ["db", "app"]),
        ("{concat: [a, {get_input: user}, 1, true]}", "aada1true"),
        (
            "{concat: ['http://', {get_attribute: [db, address]}, ':', '80']}",
            Text(("http://", Runtime("db", "address"), ":80")),
        ),
        ("{join: [[a, b, c], '-']}", "a-b-c"),
        ("{join: [[a, b]]}", "ab"),
        ("{token: ['a.b.c', '.', 1]}", "b"),
        ("{token: [{get_attribute: [db, address]}, '.', 0]}", Token(Runtime("db", "address"), ".", 0)),
        ("[{get_input: user}, {x: {get_property: [db, port]}}]", ["ada", {"x": 80}]),
        ("{token: abc}", {"token": "abc"}),
    ],
)
def test_a_function_comes_to(templates: Templates, written: str, meant: object) -> None:
    templates.file("run.sh", "true")
    templates.file("page.html", "hello")
    topology = templates.resolve(NODES.replace("VALUE", written))
    assert topology.nodes["app"].interfaces["Standard"]["configure"].inputs == {"value": meant}


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ("{get_input: nobody}", "unknown input nobody; there are place, user"),
        ("{get_input: [user, x]}", "there is no x in a text"),
        ("{get_property: [SELF, colour]}", "SELF has no property colour; there are"),
        ("{get_property: [nobody, port]}", "unknown node template nobody; there are app, db, host"),
        ("{get_property: [SELF, api, colour]}", "no property api.colour"),
        ("{get_property: [SOURCE, port]}", "SOURCE has no meaning here"),
        ("{get_property: port}", "must be called as get_property"),
        ("{get_property: [SELF, names, 7]}", "there is no 7 in a list of 2"),
        ("{get_property: [[SELF], names]}", "must be a text"),
        ("{get_attribute: [db, colour]}", "no attribute colour"),
        ("{get_attribute: [db, address, 0]}", "of type string: there is no 0 in it"),
        ("{get_operation_output: [SELF, Standard, dance, id]}", "no operation Standard.dance"),
        ("{get_operation_output: [SELF, Standard]}", "must be called as get_operation_output"),
        ("{get_artifact: [SELF, none]}", "no artifact none; there are page"),
        ("{get_nodes_of_type: Nothing}", "unknown node type Nothing"),
        ("{concat: []}", "must be called as concat"),
        ("{concat: [[a]]}", "a text cannot be made of a list"),
        ("{join: [a, b]}", "join needs a list"),
        ("{join: [[a], 1]}", "the delimiter of join must be a text"),
        ("{token: [a, b]}", "must be called as token"),
        ("{token: [a, b, '1']}", "the index of token must be a number"),
        ("{token: [a, '', 1]}", "the separator of token must be a text"),
        ("{token: ['a.b', '.', 5]}", "token 5 was asked for of a text that has 2"),
    ],
)
def test_a_wrong_call_is_a_fault(templates: Templates, written: str, because: str) -> None:
    templates.file("run.sh", "true")
    templates.file("page.html", "hello")
    templates.refused(NODES.replace("VALUE", written), because)


def test_host_is_looked_for_all_the_way_down(templates: Templates) -> None:
    text = """
        topology_template:
          node_templates:
            machine: {type: tosca.nodes.Compute}
            dbms: {type: tosca.nodes.DBMS, requirements: [{host: machine}]}
            db:
              type: tosca.nodes.Database
              requirements: [{host: dbms}]
              properties: {name: {get_attribute: [HOST, public_address]}}
          outputs:
            name: {value: {get_property: [db, name]}}
    """
    topology = templates.resolve(text)
    assert topology.outputs == {"name": Runtime("machine", "public_address")}
    attributes = "{public_address: {get_attribute: [HOST, state]}}"
    without = f"topology_template: {{node_templates: {{m: {{type: Compute, attributes: {attributes}}}}}}}"
    templates.refused(without, "m is hosted on nothing")


def test_source_and_target_are_the_ends_of_a_relationship(templates: Templates) -> None:
    text = """
        topology_template:
          node_templates:
            machine: {type: tosca.nodes.Compute}
            dbms:
              type: tosca.nodes.DBMS
              properties: {port: 3306}
              requirements:
                - host:
                    node: machine
                    relationship:
                      type: tosca.relationships.HostedOn
                      interfaces:
                        Configure:
                          operations:
                            pre_configure_source:
                              implementation: run.sh
                              inputs:
                                port: {get_property: [SOURCE, port]}
                                there: {get_attribute: [TARGET, public_address]}
    """
    templates.file("run.sh", "true")
    (link,) = templates.resolve(text).nodes["dbms"].requirements
    inputs = link.interfaces["Configure"]["pre_configure_source"].inputs
    assert inputs == {"port": 3306, "there": Runtime("machine", "public_address")}


def test_an_attribute_that_an_operation_sets_is_known_at_run_time_only(templates: Templates) -> None:
    text = """
        node_types:
          Service:
            derived_from: tosca.nodes.Root
            attributes: {port: {type: integer, default: 1}, size: {type: integer, default: 2}}
            interfaces:
              Standard:
                operations:
                  create: {implementation: run.sh, outputs: {found: [SELF, port]}}
        topology_template:
          node_templates: {one: {type: Service}}
          outputs:
            port: {value: {get_attribute: [one, port]}}
            size: {value: {get_attribute: [one, size]}}
    """
    templates.file("run.sh", "true")
    assert templates.resolve(text).outputs == {"port": Runtime("one", "port"), "size": 2}


def chain(length: int, last: str) -> str:
    nodes = "".join(
        f"    n{i}: {{type: T, properties: {{p: {{get_property: [n{i + 1}, p]}}}}}}\n" for i in range(length)
    )
    return (
        "node_types: {T: {derived_from: tosca.nodes.Root, properties: {p: {type: string}}}}\n"
        f"topology_template:\n  node_templates:\n{nodes}    n{length}: {{type: T, properties: {{p: {last}}}}}\n"
    )


def test_a_chain_of_properties_may_be_long(templates: Templates) -> None:
    topology = templates.resolve(chain(1500, "end"))
    assert {node.properties["p"] for node in topology.nodes.values()} == {"end"}


@pytest.mark.parametrize("length", [1, 3, 200])
def test_a_property_that_asks_for_itself_is_refused_with_the_way(templates: Templates, length: int) -> None:
    faults = templates.faults(chain(length, "{get_property: [n0, p]}"))
    (fault,) = [fault for fault in faults if "asks for itself" in fault]
    way = fault.partition("asks for itself: ")[2].split(" → ")
    assert way[0] == way[-1]
    assert sorted(way[1:]) == sorted(f"n{i}.p" for i in range(length + 1))


def doubling(count: int, written: str) -> str:
    nodes = "".join(
        f"    n{i}: {{type: T, attributes: {{a: {written.replace('NEXT', f'{{get_attribute: [n{i + 1}, a]}}')}}}}}\n"
        for i in range(count)
    )
    return (
        "node_types: {T: {derived_from: tosca.nodes.Root, attributes: {a: {type: json}}}}\n"
        f"topology_template:\n  node_templates:\n{nodes}    n{count}: {{type: T, attributes: {{a: aa}}}}\n"
    )


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ("[NEXT, NEXT]", "comes to more than 20000 parts"),
        ("{concat: [NEXT, NEXT]}", "comes to a text of more than 1048576 characters"),
    ],
)
def test_values_that_repeat_each_other_do_not_grow_without_end(
    templates: Templates, written: str, because: str
) -> None:
    templates.refused(doubling(60, written), because)


def test_values_within_values_have_a_deepest_level(templates: Templates) -> None:
    templates.refused(doubling(300, "[NEXT]"), "to more than 100 levels")
    nested = "[" * 80 + "NEXT" + "]" * 80
    templates.refused(doubling(40, nested), "to more than 100 levels")
