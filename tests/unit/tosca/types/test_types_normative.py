"""TOSCA's own types, as version 1.3 has them, and types of a template in their place."""

from typing import Any

import pytest

from gorchestrator.tosca.types.checking import check

KNOWN = {
    "node": """Root Abstract.Compute Compute SoftwareComponent WebServer WebApplication DBMS Database Abstract.Storage
        Storage.ObjectStorage Storage.BlockStorage Container.Runtime Container.Application LoadBalancer
        network.Network network.Port""",
    "capability": """Root Node Compute Network Storage Container Endpoint Endpoint.Public Endpoint.Admin
        Endpoint.Database Attachment OperatingSystem Scalable network.Bindable network.Linkable""",
    "relationship": "Root DependsOn HostedOn ConnectsTo AttachesTo RoutesTo network.LinksTo network.BindsTo",
    "data": """Root json xml Credential TimeInterval network.NetworkInfo network.PortInfo network.PortDef
        network.PortSpec""",
    "artifact": """Root File Deployment Deployment.Image Deployment.Image.Container.Docker Deployment.Image.VM
        Deployment.Image.VM.ISO Deployment.Image.VM.QCOW2 Implementation Implementation.Bash Implementation.Python
        template template.Jinja2 template.Twig""",
    "interface": "Root node.lifecycle.Standard relationship.Configure",
    "policy": "Root Placement Scaling Update Performance",
    "group": "Root",
}
FAMILY = {"data": "datatypes", "capability": "capabilities", "policy": "policies"}


@pytest.mark.parametrize("kind", KNOWN)
def test_each_type_of_the_standard_is_there(types, kind: Any) -> None:
    known = types.read()
    family = FAMILY.get(kind, f"{kind}s")
    for name in KNOWN[kind].split():
        found = known.find(kind, name)
        assert found is known.find(kind, f"tosca:{name}") is known.find(kind, f"tosca.{family}.{name}"), name
        root = found.derived_from[-1] if found.derived_from else found.name
        assert root == f"tosca.{family}.Root" or found.value is not None, name
    assert types.report.faults == []


def test_what_the_types_of_the_standard_derive_from(types) -> None:
    known = types.read()
    for kind, name, ancestor in (
        ("node", "Compute", "tosca.nodes.Abstract.Compute"),
        ("node", "DBMS", "tosca.nodes.SoftwareComponent"),
        ("node", "Storage.BlockStorage", "tosca.nodes.Abstract.Storage"),
        ("relationship", "RoutesTo", "tosca.relationships.ConnectsTo"),
        ("capability", "Compute", "tosca.capabilities.Container"),
        ("capability", "Endpoint.Database", "tosca.capabilities.Endpoint"),
        ("artifact", "Bash", "tosca.artifacts.Implementation"),
    ):
        assert known.find(kind, name).derived_from[0] == ancestor


def test_what_a_compute_node_has(types) -> None:
    compute = types.read().find("node", "Compute")
    assert {name: each.type.removeprefix("tosca.capabilities.") for name, each in compute.capabilities.items()} == {
        "feature": "Node",
        "host": "Compute",
        "binding": "network.Bindable",
        "os": "OperatingSystem",
        "scalable": "Scalable",
        "endpoint": "Endpoint.Admin",
    }
    assert {name: each.occurrences for name, each in compute.requirements.items()} == {
        "dependency": (0, None),
        "local_storage": (0, None),
    }
    assert {"private_address", "public_address", "networks", "ports", "state"} <= set(compute.attributes)
    assert list(compute.interfaces) == ["Standard"]


@pytest.mark.parametrize(
    ("kind", "name", "given", "fits"),
    [
        ("capability", "Compute", {"num_cpus": 1, "mem_size": "512 MB", "cpu_frequency": "0.1 GHz"}, True),
        ("capability", "Compute", {"num_cpus": 0}, False),
        ("capability", "Compute", {"cpu_frequency": "10 MHz"}, False),
        ("capability", "Endpoint", {"port": 65535, "initiator": "peer", "secure": "true"}, True),
        ("capability", "Endpoint", {"port": 65536}, False),
        ("capability", "Endpoint", {"initiator": "nobody"}, False),
        ("capability", "Endpoint", {"ports": {}}, False),
        ("capability", "Endpoint", {"ports": {"a": {"protocol": "udp", "target": 5, "target_range": [1, 5]}}}, True),
        ("capability", "Endpoint", {"ports": {"a": {"protocol": "tcp", "target_range": [0, 5]}}}, False),
        ("capability", "Endpoint.Admin", {"secure": False}, False),
        ("capability", "OperatingSystem", {"architecture": "x86_64", "version": "24.04"}, True),
        ("capability", "Scalable", {"min_instances": 0, "max_instances": 3, "default_instances": 1}, True),
        ("relationship", "ConnectsTo", {"credential": {"user": "u", "token": "t", "keys": {"a": "b"}}}, True),
        ("relationship", "ConnectsTo", {"credential": {"user": "u"}}, False),
        ("relationship", "AttachesTo", {"location": "/d"}, True),
        ("relationship", "AttachesTo", {"location": ""}, False),
        ("node", "network.Network", {"ip_version": 6, "cidr": "::/0", "dhcp_enabled": True}, True),
        ("node", "network.Network", {"ip_version": 5}, False),
        ("node", "network.Port", {"order": 0, "is_default": False}, True),
        ("node", "network.Port", {"order": -1}, False),
        ("node", "Storage.BlockStorage", {"name": "n", "size": "10 GB"}, True),
        ("node", "SoftwareComponent", {"component_version": 1.0, "admin_credential": {"token": "x"}}, True),
    ],
)
def test_what_properties_of_the_standard_take(types, kind: Any, name: str, given: dict[str, Any], fits: bool) -> None:
    known = types.read()
    found = known.find(kind, name)
    for each, value in given.items():
        definition = found.properties[each]
        check(value, definition, definition.place, known, types.report)
    assert (types.report.faults == []) is fits, types.report.faults


def test_what_derives_from_a_type_that_is_replaced_has_what_replaces_it(types) -> None:
    known = types.read("""
    capability_types:
      tosca.capabilities.Endpoint: {derived_from: tosca.capabilities.Root, properties: {mine: string}}
    node_types:
      tosca.nodes.Root: {properties: {label: {type: string, default: x}}}
      Compute: {derived_from: tosca.nodes.Compute}
    """)
    assert "mine" in known.find("capability", "Endpoint.Admin").properties
    assert next(iter(known.find("node", "DBMS").properties)) == "label"
    assert "feature" not in known.find("node", "DBMS").capabilities
    assert known.find("node", "Compute").name == "Compute"
    assert known.find("node", "tosca:Compute").name == "tosca.nodes.Compute"
    assert types.report.faults == []


@pytest.mark.parametrize("name", ["Computer", "tosca:Nothing", "nodes.Compute", "", "tosca:", "HostedOn"])
def test_a_name_that_is_none(types, name: str) -> None:
    assert types.read().find("node", name) is None
