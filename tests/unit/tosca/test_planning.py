"""Plans of small topologies: what runs, and what waits for what; workflows step by step; what is refused."""

from collections.abc import Mapping, Sequence

import pytest

from gorchestrator.tosca.faults import Place, Report, ToscaError
from gorchestrator.tosca.model import (
    Activity,
    Artifact,
    NodeTemplate,
    Operation,
    Relationship,
    Runtime,
    Topology,
    Workflow,
    WorkflowStep,
)
from gorchestrator.tosca.plan import Plan
from gorchestrator.tosca.planning import deploy, run_workflow, undeploy

HERE = Place("t.yaml")
HOSTED_ON, CONNECTS_TO = "tosca.relationships.HostedOn", "tosca.relationships.ConnectsTo"


def operations(interface: str, *names: str) -> dict[str, dict[str, Operation]]:
    """Return operations that have scripts."""
    script = Artifact("x", "", "x.sh", HERE, b"")
    return {interface: {name: Operation(interface, name, HERE, script) for name in names}}


def node(name: str, *names: str, needs: Sequence[Relationship] = (), **more: object) -> NodeTemplate:
    """Return a template with these operations of its lifecycle."""
    return NodeTemplate(
        name,
        "x",
        HERE,
        interfaces=operations("Standard", *names),
        requirements=list(needs),
        **more,  # type: ignore[arg-type]
    )


def link(source: str, target: str, kind: str = HOSTED_ON, name: str = "host", *names: str) -> Relationship:
    """Return a relationship with these operations."""
    return Relationship(name, kind, source, target, HERE, interfaces=operations("Configure", *names))


def topology(*nodes: NodeTemplate, **more: object) -> Topology:
    """Return a topology of these nodes."""
    return Topology("t", {each.name: each for each in nodes}, **more)  # type: ignore[arg-type]


def needs(plan: Plan) -> Mapping[str, Sequence[str]]:
    """Return what each step waits for, sorted."""
    return {name: sorted(each) for name, each in plan.needs.items()}


def refused(found: Topology, because: str, flow: str = "") -> None:
    """Assert that there is no plan, and why."""
    report = Report()
    plan = run_workflow(found, flow, report) if flow else deploy(found, report)
    with pytest.raises(ToscaError, match=because):
        report.check()
    assert not plan.steps


UP = ("create", "configure", "start")
WEB = topology(
    node("host", *UP),
    node("db", *UP, needs=[link("db", "host")]),
    node(
        "web",
        *UP,
        needs=[
            link("web", "host"),
            link("web", "db", CONNECTS_TO, "database", "pre_configure_source", "post_configure_target", "add_target"),
        ],
    ),
)


def test_a_deployment_goes_up_from_the_host() -> None:
    assert needs(deploy(WEB, Report())) == {
        "host.create": [],
        "host.configure": ["host.create"],
        "host.start": ["host.configure"],
        "db.create": ["host.start"],
        "db.configure": ["db.create"],
        "web.database.post_configure_target": ["db.configure"],
        "db.start": ["web.database.post_configure_target"],
        "web.create": ["host.start"],
        "web.database.pre_configure_source": ["db.start", "web.create"],
        "web.configure": ["web.database.pre_configure_source"],
        "web.start": ["web.configure"],
        "web.database.add_target": ["web.start"],
    }


def test_operations_run_where_their_end_is() -> None:
    steps = deploy(WEB, Report()).steps
    assert steps["web.database.pre_configure_source"].runs_on == "web"
    target = steps["web.database.post_configure_target"]
    assert (target.node, target.runs_on, target.relationship) == ("web", "db", 1)


def test_an_undeployment_is_the_mirror() -> None:
    down = topology(
        node("host", "stop", "delete"),
        node("db", "stop", "delete", needs=[link("db", "host")]),
        node("web", "stop", needs=[link("web", "host"), link("web", "db", CONNECTS_TO, "database", "remove_target")]),
    )
    assert needs(undeploy(down, Report())) == {
        "web.database.remove_target": [],
        "web.stop": ["web.database.remove_target"],
        "db.stop": ["web.stop"],
        "db.delete": ["db.stop"],
        "host.stop": ["db.delete"],
        "host.delete": ["host.stop"],
    }


def test_what_does_nothing_vanishes_and_its_order_stays() -> None:
    found = topology(node("host", "create"), node("db", "start", needs=[link("db", "host")]))
    assert needs(deploy(found, Report())) == {"host.create": [], "db.start": ["host.create"]}
    assert len(deploy(found, Report(), compact=False).steps) == 6


def test_a_topology_without_scripts_still_has_something_to_run() -> None:
    plan = deploy(topology(node("server")), Report())
    assert list(plan.steps) == ["server.start"]


def test_many_around_one_that_does_nothing_meet_in_one_place() -> None:
    before = [node(f"a{number}", "start") for number in range(30)]
    middle = node("middle", needs=[link("middle", each.name) for each in before])
    after = [node(f"z{number}", "create", needs=[link(f"z{number}", "middle")]) for number in range(30)]
    plan = deploy(topology(*before, middle, *after), Report())
    assert sum(map(len, plan.needs.values())) <= 70


def test_a_requirement_met_twice_has_steps_of_its_own() -> None:
    both = [link("app", each, CONNECTS_TO, "db", "add_target") for each in ("one", "two")]
    plan = deploy(topology(node("one"), node("two"), node("app", needs=both)), Report())
    assert {"app.db.add_target", "app.db.1.add_target"} <= set(plan.steps)


def test_a_cycle_is_told_with_its_way() -> None:
    found = topology(
        node("a", *UP, needs=[link("a", "b", CONNECTS_TO, "peer")]),
        node("b", *UP, needs=[link("b", "a", CONNECTS_TO, "peer")]),
    )
    refused(found, r"wait for each other: .*a\.start → b\.configure")


def test_a_node_may_be_its_own_peer() -> None:
    found = topology(node("a", *UP, needs=[link("a", "a", CONNECTS_TO, "peer", "add_source")]))
    assert needs(deploy(found, Report()))["a.peer.add_source"] == ["a.start"]


def test_nothing_to_deploy_is_told() -> None:
    report = Report()
    assert deploy(topology(), report).steps == {}
    assert ["it has no node templates" in str(each) for each in report.warnings] == [True]


def test_operations_that_no_deployment_calls_are_told() -> None:
    report = Report()
    mine = NodeTemplate("a", "x", HERE, interfaces=operations("Standard", "start") | operations("Mine", "backup"))
    deploy(topology(mine), report)
    assert [str(each) for each in report.warnings] == [
        "t.yaml: Mine.backup is not part of a deployment: only a workflow can call it"
    ]


# -- workflows


def step(name: str, target: str, *activities: tuple[str, str], **more: object) -> WorkflowStep:
    """Return a step with these activities."""
    found = [Activity(kind, argument, HERE) for kind, argument in activities]
    return WorkflowStep(name, target, HERE, found, **more)  # type: ignore[arg-type]


def flows(*steps: WorkflowStep, **more: object) -> dict[str, Workflow]:
    """Return one workflow, called w."""
    return {"w": Workflow("w", HERE, {each.name: each for each in steps}, **more)}  # type: ignore[arg-type]


CALL = ("call_operation", "Standard.start")


def test_steps_follow_on_success_and_others_run_beside_each_other() -> None:
    found = topology(
        node("a", "start"),
        node("b", "start"),
        workflows=flows(
            step("first", "a", CALL, on_success=["last"]),
            step("beside", "b", CALL, ("set_state", "started"), on_success=["last"]),
            step("last", "b", ("call_operation", "Standard.start")),
        ),
    )
    assert needs(run_workflow(found, "w", Report())) == {
        "first": [],
        "beside.1": [],
        "last": ["beside.1", "first"],
    }


def test_a_group_is_done_side_by_side_and_a_lifecycle_is_delegated() -> None:
    found = topology(
        node("a", *UP),
        node("b", "start"),
        groups={"both": ["a", "b"]},
        workflows=flows(
            step("up", "a", ("delegate", "deploy"), on_success=["again"]),
            step("again", "both", CALL),
        ),
    )
    assert needs(run_workflow(found, "w", Report())) == {
        "up.create": [],
        "up.configure": ["up.create"],
        "up.start": ["up.configure"],
        "again@a": ["up.start"],
        "again@b": ["up.start"],
    }


def test_an_inlined_workflow_stands_in_the_place_of_its_activity() -> None:
    inner = Workflow("inner", HERE, {"x": step("x", "a", CALL)})
    outer = flows(step("s", "a", ("inline", "inner"), CALL, on_success=["t"]), step("t", "a", CALL))
    plan = run_workflow(topology(node("a", "start"), workflows={**outer, "inner": inner}), "w", Report())
    assert needs(plan) == {"s.1/x": [], "s.2": ["s.1/x"], "t": ["s.2"]}


def test_conditions_that_are_known_are_decided() -> None:
    wanted = [{"assert": [{"size": [{"greater_than": 3}]}]}]
    state = [{"state": [{"equal": "started"}]}]
    found = topology(
        node("a", "start", properties={"size": 2, "late": Runtime("a", "late")}, kinds={"size": "integer"}),
        workflows=flows(
            step("small", "a", CALL, filters=wanted, on_success=["next"]), step("next", "a", CALL, filters=state)
        ),
    )
    report = Report()
    assert needs(run_workflow(found, "w", report)) == {"next": []}
    assert [each.text for each in report.warnings] == [
        "small is left out on a: its filter does not hold",
        "the filter of next is not looked at for a: only a run could tell whether it holds",
    ]
    flow = flows(step("s", "a", CALL), preconditions=[{"target": "a", "condition": [{"not": wanted}]}])
    run_workflow(topology(*found.nodes.values(), workflows=flow), "w", Report())
    flow = flows(step("s", "a", CALL), preconditions=[{"target": "a", "condition": wanted}])
    refused(topology(*found.nodes.values(), workflows=flow), "a precondition of w on a does not hold", "w")


def test_what_a_gorch_cannot_do_is_told() -> None:
    report = Report()
    flow = flows(step("s", "a", CALL, on_failure=["t"]), step("t", "a", CALL))
    run_workflow(topology(node("a", "start"), workflows=flow), "w", report)
    assert "the step t is left out: only a failure leads to it" in str(report.warnings[0])


@pytest.mark.parametrize(
    ("activity", "because"),
    [
        (("call_operation", "Standard.fly"), r"a has no operation Standard\.fly; there are: Standard\.start"),
        (("delegate", "dance"), "dance cannot be delegated to"),
        (("inline", "other"), "there is no workflow other"),
    ],
)
def test_activities_that_cannot_be_done_are_refused(activity: tuple[str, str], because: str) -> None:
    refused(topology(node("a", "start"), workflows=flows(step("s", "a", activity))), because, "w")


def test_workflows_that_cannot_be_run_are_refused() -> None:
    found = topology(node("a", "start"), workflows=flows(step("s", "a", CALL), missing=["size"]))
    refused(found, "needs inputs that were not given: size", "w")
    refused(found, "there is no workflow v; there are: w", "v")
    circle = flows(step("s", "a", CALL, on_success=["t"]), step("t", "a", CALL, on_success=["s"]))
    refused(topology(node("a", "start"), workflows=circle), "wait for each other", "w")
