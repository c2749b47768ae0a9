"""The order that is promised, for any topology: each relationship, the mirror, and what leaving out steps keeps."""

from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gorchestrator.tosca.faults import Place, Report
from gorchestrator.tosca.model import Artifact, NodeTemplate, Operation, Relationship, Topology
from gorchestrator.tosca.plan import Plan
from gorchestrator.tosca.planning import deploy, undeploy
from gorchestrator.tosca.planning.cycles import order

HERE = Place("t.yaml")
SCRIPT = Artifact("x", "", "x.sh", HERE, b"")
KINDS = {
    "HostedOn": True,
    "DependsOn": True,
    "ConnectsTo": False,
    "AttachesTo": False,
    "RoutesTo": False,
}  # whether the target has to have started before the source is created
STANDARD = ("create", "configure", "start", "stop", "delete")
CONFIGURE = (
    "pre_configure_source",
    "pre_configure_target",
    "post_configure_source",
    "post_configure_target",
    "add_target",
    "add_source",
    "remove_target",
    "remove_source",
)


def _operations(interface: str, names: set[str], scripts: set[str]) -> dict[str, dict[str, Operation]]:
    return {interface: {name: Operation(interface, name, HERE, SCRIPT if name in scripts else None) for name in names}}


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Topologies of up to 12 nodes whose requirements lead to earlier ones, so that they have an order."""
    nodes: dict[str, NodeTemplate] = {}
    for number in range(draw(st.integers(1, 12))):
        name = f"n{number}"
        links = []
        for target in draw(st.sets(st.sampled_from(sorted(nodes)), max_size=4)) if nodes else ():
            kind = draw(st.sampled_from(sorted(KINDS)))
            known = draw(st.sets(st.sampled_from(CONFIGURE)))
            derived = draw(st.booleans())
            normative = f"tosca.relationships.{kind}"
            links.append(
                Relationship(
                    draw(st.sampled_from(["host", "peer"])),
                    "my.Relationship" if derived else normative,
                    name,
                    target,
                    HERE,
                    derived_from=[normative] if derived else [],
                    interfaces=_operations("Configure", known, draw(st.sets(st.sampled_from(CONFIGURE)))),
                )
            )
        known = draw(st.sets(st.sampled_from(STANDARD)))
        standard = _operations("Standard", known, draw(st.sets(st.sampled_from(STANDARD))))
        nodes[name] = NodeTemplate(name, "x", HERE, interfaces=standard, requirements=links)
    return Topology("t", nodes)


def before(plan: Plan) -> Mapping[str, set[str]]:
    """Return all that is before each step."""
    found: dict[str, set[str]] = {}
    for name in order(plan.needs):
        found[name] = set(plan.needs[name]).union(*(found[each] for each in plan.needs[name]))
    return found


def is_first(link: Relationship) -> bool:
    return KINDS[(link.derived_from[0] if link.derived_from else link.type).rpartition(".")[2]]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies())
def test_each_relationship_has_its_order(topology: Topology) -> None:
    plan = deploy(topology, Report(), compact=False)
    known = before(plan)
    for name in topology.nodes:
        assert f"{name}.create" in known[f"{name}.configure"]
        assert f"{name}.configure" in known[f"{name}.start"]
    for link in topology.relationships():
        assert f"{link.target}.start" in known[f"{link.source}.{'create' if is_first(link) else 'configure'}"]
    for name, step in plan.steps.items():
        if step.relationship is None:
            continue
        assert step.operation is not None
        link = topology.nodes[step.node].requirements[step.relationship]
        when, _, end = step.operation.name.rpartition("_")
        if when in {"pre_configure", "post_configure"}:
            owner = link.source if end == "source" else link.target
            first, then = ("create", "configure") if when == "pre_configure" else ("configure", "start")
            assert f"{owner}.{first}" in known[name]
            assert name in known[f"{owner}.{then}"]
            assert step.runs_on == owner
        else:
            assert {f"{link.source}.start", f"{link.target}.start"} <= known[name]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies())
def test_an_undeployment_is_the_mirror(topology: Topology) -> None:
    down = undeploy(topology, Report(), compact=False)
    known = before(down)
    for name in topology.nodes:
        assert f"{name}.stop" in known[f"{name}.delete"]
    for link in topology.relationships():
        assert f"{link.source}.{'delete' if is_first(link) else 'stop'}" in known[f"{link.target}.stop"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies(), st.booleans())
def test_what_is_left_keeps_its_order_and_nothing_else(topology: Topology, up: bool) -> None:
    make = deploy if up else undeploy
    whole, short = (make(topology, Report(), compact=compact) for compact in (False, True))
    working = {name for name, step in whole.steps.items() if step.operation and step.operation.primary}
    assert working <= set(short.steps)
    assert all(need in short.steps for needs in short.needs.values() for need in needs)
    known, left = before(whole), before(short)
    for name, earlier in left.items():
        assert earlier & working == known[name] & working
        for need in short.needs[name]:  # no edge that others imply
            assert not any(need in left[other] for other in short.needs[name] - {need})


def test_a_thousand_nodes_have_few_edges() -> None:
    nodes: dict[str, NodeTemplate] = {}
    every = set(STANDARD)
    for number in range(1000):
        name = f"n{number}"
        targets = {number // 2, number - 1, number // 3} - {number, -1}
        links = [Relationship("r", "tosca.relationships.ConnectsTo", name, f"n{each}", HERE) for each in targets]
        standard = _operations("Standard", every, every)
        nodes[name] = NodeTemplate(name, "x", HERE, interfaces=standard, requirements=links)
    plan = deploy(Topology("t", nodes), Report())
    assert len(plan.steps) == 3 * 1000
    assert sum(map(len, plan.needs.values())) < 5 * 1000
