"""Nodes of a gorch: their engines, hosts, names and edges, and which output of which node a value of the run is."""

import pytest

from gorchestrator.domain.build import build
from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import Operation, Relationship, Runtime, Text, Token
from gorchestrator.tosca.plan import Plan, Step
from gorchestrator.tosca.writing import Options, to_gorch
from writing_support import HERE, artifact, compute, node, nodes_of, operation, plan, topology, write

BASH = "tosca.artifacts.Implementation.Bash"
CONTAINER = "tosca.artifacts.Deployment.Image.Container.Docker"
MINE = topology(compute("vm"), node("db", "vm"), node("app", "vm"))


def node_of(primary, found=MINE, **options):
    written, report = write(found, plan(("app.start", operation("start", primary=primary), ())), **options)
    return nodes_of(written)["app.start"], report


# -- engines


@pytest.mark.parametrize(
    ("primary", "engine", "text"),
    [
        (artifact("x.sh", b"#!/bin/bash\n"), "toscassh", "#!/bin/bash\n"),
        (artifact("x.py", b"pass\n"), "toscassh", "#!/usr/bin/env python3\npass\n"),
        (artifact("x", b"#!/bin/ksh\n"), "toscassh", "#!/bin/ksh\n"),
        (artifact("x.txt", b"echo\n", type="my.Thing", derived_from=(BASH,)), "toscassh", "#!/bin/sh\necho\n"),
        (artifact("p.yaml", b"- hosts: all\n"), "ansible", "---\n- hosts: all\n"),
        (artifact("p.yml", b"# mine\n---\n- hosts: all\n"), "ansible", "---\n- hosts: all\n"),
        (
            artifact("p.yml", b"- hosts: all\n  x: |\n    a\n---\n"),
            "ansible",
            "---\n- hosts: all\n  x: |\n    a\n---\n",
        ),
        (artifact("p.yml", None), "ansible", "p.yml"),
        (artifact("site", b"- hosts: all\n", type="x.artifacts.AnsiblePlaybook"), "ansible", "---\n- hosts: all\n"),
        (artifact("nginx:1", None, type=CONTAINER), "docker", "nginx:1"),
    ],
)
def test_an_artifact_selects_its_engine(primary, engine, text):
    made, report = node_of(primary)
    assert (made["engine"], made["artifact"]) == (engine, text)
    assert made.get("target") == (None if engine == "docker" else "vm")
    assert report.warnings == []


def test_locally_scripts_and_playbooks_run_on_the_executor():
    files = (artifact("x.sh"), artifact("x.yml", b"- hosts: all\n"))
    assert [node_of(each, local=True)[0] for each in files] == [
        {"name": "app.start", "engine": "shell", "artifact": "#!/bin/sh\ntrue\n"},
        {"name": "app.start", "engine": "ansible", "artifact": "---\n- hosts: all\n", "target": "localhost"},
    ]


@pytest.mark.parametrize("key", ["tf", ".tf", "my.Plan", "Plan", "my.Base"])
def test_engines_can_be_chosen_by_type_and_extension(key):
    primary = artifact("x.tf", b"resource {}\n", type="my.Plan", derived_from=("my.Base",))
    made, _ = node_of(primary, engines={key: "terraform"})
    assert (made["engine"], made["artifact"]) == ("terraform", "resource {}\n")


def test_what_nothing_runs_is_refused_with_a_remedy():
    report = Report()
    to_gorch(MINE, plan(("app.start", operation("start", primary=artifact("x.tf", b"a")), ())), Options(), report)
    assert [str(each) for each in report.faults] == [
        "mine.yaml:1: nothing tells what runs x.tf: say --engine EXTENSION=ENGINE, or TYPE=ENGINE"
    ]


def test_what_an_engine_cannot_take_is_told():
    wanted = Runtime("db", "PORT")
    producer = ("db.start", operation("start", b"PORT=1"), ())
    inputs = {"A": 1, "P": wanted, "T": Text(("x", wanted))}
    ansible = ["y: left out, as ansible takes", "left out of app.start: T; ansible"]
    docker = ["y: left out, as docker", "left out of app.start: T; docker", "left out of app.start: P; a con"]
    for file, type_, args, told in (
        ("p.yml", "", ["A=1", "P=get_attribute db.start:PORT"], ansible),
        ("i:1", CONTAINER, None, docker),
    ):
        primary = artifact(file, None, type=type_)
        what = operation("start", primary=primary, inputs=inputs, dependencies=[artifact("y")])
        written, report = write(MINE, plan(producer, ("app.start", what, ["db.start"])))
        made = nodes_of(written)["app.start"]
        assert made.get("args") == args
        assert made.get("env") == (None if args else {"A": "1"})
        assert [each.text[: len(text)] for each, text in zip(report.warnings, told, strict=True)] == told


# -- hosts


def test_the_target_is_the_compute_node_below():
    deep = topology(compute("vm"), node("os", "vm"), node("app", "os"))
    assert node_of(artifact("x.sh"), deep)[0]["target"] == "vm"
    assert node_of(artifact("x.sh"), deep, hosts={"vm": "10.0.0.7"})[0]["target"] == "10.0.0.7"
    for where in ({"attributes": {"public_address": "1.2.3.4"}}, {"properties": {"private_address": "1.2.3.4"}}):
        found = topology(compute("vm", **where), node("app", "vm"))
        assert node_of(artifact("x.sh"), found)[0]["target"] == "1.2.3.4"


def test_what_is_on_no_compute_node_runs_on_the_executor_with_a_warning():
    made, report = node_of(artifact("x.sh"), topology(node("app")))
    assert made["engine"] == "shell"
    assert "target" not in made
    assert "app is on no Compute node" in report.warnings[0].text


@pytest.mark.parametrize(
    ("host", "engine", "target"),
    [
        ("", "toscassh", "front"),
        ("SELF", "toscassh", "front"),
        ("SOURCE", "toscassh", "front"),
        ("TARGET", "toscassh", "back"),
        ("HOST", "toscassh", "front"),
        ("db", "toscassh", "back"),
        ("ORCHESTRATOR", "shell", None),
    ],
)
def test_an_operation_may_say_where_it_runs(host, engine, target):
    found = topology(compute("front"), compute("back"), node("db", "back"), node("app", "front"))
    found.nodes["app"].requirements.append(Relationship("database", "x", "app", "db", HERE))
    steps = Plan()
    steps.add(Step("app.database.add", "app", "app", HERE, operation("add", host=host), relationship=1))
    made = nodes_of(write(found, steps)[0])["app.database.add"]
    assert (made["engine"], made.get("target")) == (engine, target)


def test_a_host_that_is_not_there_is_refused():
    report = Report()
    to_gorch(MINE, Plan(), Options(hosts={"db": "x", "other": "y"}), report)
    assert [each.text for each in report.faults] == [
        "--host db: no Compute node has that name",
        "--host other: no Compute node has that name",
    ]


@pytest.mark.parametrize(
    ("options", "address"), [({"local": True}, "127.0.0.1"), ({"hosts": {"vm": "10.0.0.7"}}, "10.0.0.7")]
)
def test_addresses_of_hosts_are_known(options, address):
    inputs = {"URL": Text(("http://", Runtime("vm", "public_address"), "/")), "ID": Runtime("vm", "tosca_id")}
    found = topology(*MINE.nodes.values(), outputs={"at": Runtime("vm", "private_address")})
    written, report = write(found, plan(("app.start", operation("start", inputs=inputs), ())), **options)
    made = nodes_of(written)["app.start"]
    expected = {"URL": f"http://{address}/", "ID": "vm"}
    assert made.get("env", dict(each.split("=", 1) for each in made.get("args", ()))) == expected
    assert written.evaluate({}) == {"at": address}
    assert report.warnings == []


# -- order, names


def test_steps_without_work_are_nil_nodes_and_edges_stay():
    declared = Operation("Standard", "configure", HERE)
    steps = plan(("app.b", None, ["app.a"]), ("app.a", declared, ()), ("app.c", operation("c"), ["app.a", "app.b"]))
    written, _ = write(MINE, steps)
    assert written.gorch["nodes"][:2] == [
        {"name": "app.a", "engine": "nil"},
        {"name": "app.b", "needs": ["app.a"], "engine": "nil"},
    ]
    assert written.gorch["nodes"][2]["needs"] == ["app.a", "app.b"]
    build(written.gorch)


def test_names_that_a_gorch_refuses_are_made_others():
    steps = plan(("app." + "x" * 300, None, ()), ("app." + "x" * 301, None, ["app." + "x" * 300]), ("app.\n", None, ()))
    written, _ = write(MINE, steps)
    names = [each["name"] for each in written.gorch["nodes"]]
    assert len(set(names)) == 3
    assert max(map(len, names)) == 255
    assert all(map(str.isprintable, names))
    build(written.gorch)


# -- values of the run


def chain(reader=None, **scripts):
    """Return a plan db.NAME → … → app.start, each with its script."""
    steps, before = [], ()
    for name, content in scripts.items():
        steps.append((f"db.{name}", operation(name, content), before))
        before = (f"db.{name}",)
    return plan(*steps, ("app.start", reader or operation("start", inputs={"P": Runtime("db", "PORT")}), before))


@pytest.mark.parametrize(
    ("scripts", "producer"),
    [
        ({"create": b"PORT=1", "configure": b"XPORT=1 PORTS=2", "start": b""}, "db.create"),
        ({"create": b"PORT=1", "configure": b"echo PORT=$P", "start": None}, "db.configure"),
        ({"create": b"", "configure": None, "start": b""}, "db.configure"),
    ],
)
def test_an_attribute_is_of_the_last_operation_that_has_its_name(scripts, producer):
    made = nodes_of(write(MINE, chain(**scripts))[0])
    assert made["app.start"]["args"] == [f"P=get_attribute {producer}:PORT"]
    assert made[producer]["output"] == {"PORT": ""}
    assert [name for name, each in made.items() if "output" in each] == [producer]


def test_an_attribute_may_be_set_by_a_dependency():
    create = operation("create", b". ./lib", dependencies=[artifact("lib", b"PORT=1")])
    reader = operation("start", inputs={"P": Runtime("db", "PORT")})
    steps = plan(("db.create", create, ()), ("app.start", reader, ["db.create"]))
    assert nodes_of(write(MINE, steps)[0])["app.start"]["args"] == ["P=get_attribute db.create:PORT"]


def test_an_operation_without_the_name_does_not_set_an_attribute():
    written, report = write(MINE, chain(create=b"XPORT=1", start=b""))
    assert "args" not in nodes_of(written)["app.start"]
    assert "app.start goes without P" in report.warnings[0].text


def test_an_operation_that_says_to_set_it_counts_more():
    configure = operation("configure", b"PORT=2", outputs={"listen": ("SELF", "PORT")})
    steps = plan(
        ("db.create", operation("create", b"PORT=1"), ()),
        ("db.configure", configure, ["db.create"]),
        ("db.start", operation("start", b"PORT=3"), ["db.configure"]),
        ("app.start", operation("start", inputs={"P": Runtime("db", "PORT")}), ["db.start"]),
    )
    assert nodes_of(write(MINE, steps)[0])["app.start"]["args"] == ["P=get_attribute db.configure:listen"]


def test_an_operation_of_a_relationship_sets_attributes_of_both_ends():
    found = topology(compute("vm"), node("db", "vm"), node("app"))
    found.nodes["app"].requirements.append(Relationship("database", "x", "app", "db", HERE))
    linking = operation("add", interface="Configure", outputs={"p": ("TARGET", "PORT"), "s": ("SOURCE", "STATE")})
    inputs = {"P": Runtime("db", "PORT"), "S": Runtime("app", "STATE")}
    steps = Plan()
    steps.add(Step("app.database.add", "app", "app", HERE, linking, relationship=0))
    steps.add(Step("app.start", "app", "app", HERE, operation("start", inputs=inputs)), ["app.database.add"])
    assert nodes_of(write(found, steps)[0])["app.start"]["args"] == [
        "P=get_attribute app.database.add:p",
        "S=get_attribute app.database.add:s",
    ]


def test_the_output_of_an_operation_is_of_that_one():
    reader = operation("start", inputs={"P": Runtime("db", "PORT", ("Standard", "create"))})
    made = nodes_of(write(MINE, chain(reader, create=b"", start=b"PORT=2"))[0])
    assert made["app.start"]["args"] == ["P=get_attribute db.create:PORT"]


def test_a_part_of_an_attribute_is_an_output_with_underscores():
    reader = operation("start", inputs={"P": Runtime("db", "endpoint", path=("ports", 0))})
    made = nodes_of(write(MINE, chain(reader, start=None))[0])
    assert made["app.start"]["args"] == ["P=get_attribute db.start:endpoint_ports_0"]
    assert made["db.start"]["output"] == {"endpoint_ports_0": ""}


def test_who_reads_waits_for_who_produces():
    steps = plan(
        ("app.start", operation("start", inputs={"P": Runtime("db", "PORT")}), ()),
        ("db.start", operation("start", b"PORT=1"), ()),
        ("db.stop", operation("stop", b"PORT=1"), ["app.start"]),
    )
    written, _ = write(MINE, steps)
    assert nodes_of(written)["app.start"]["needs"] == ["db.start"]
    build(written.gorch)


def test_two_that_wait_for_each_other_do_not():
    steps = plan(
        ("app.start", operation("start", b"A=1", inputs={"P": Runtime("db", "PORT")}), ()),
        ("db.start", operation("start", b"PORT=1", inputs={"A": Runtime("app", "A")}), ()),
    )
    written, report = write(MINE, steps)
    assert nodes_of(written)["app.start"]["needs"] == ["db.start"]
    assert "needs" not in nodes_of(written)["db.start"]
    assert "db.start goes without A: nothing here sets the attribute A of app before it" in report.warnings[0].text
    build(written.gorch)


def test_an_input_that_nothing_produces_is_left_out_with_a_warning():
    inputs = {"P": Runtime("vm", "PORT"), "T": Text(("x", Runtime("db", "Y", ("S", "o")))), "A": "1"}
    written, report = write(MINE, plan(("app.stop", operation("stop", inputs=inputs), ())))
    assert nodes_of(written)["app.stop"]["args"] == ["A=1"]
    assert [str(each) for each in report.warnings] == [
        "mine.yaml:1: app.stop goes without P: nothing here sets the attribute PORT of vm before it",
        "mine.yaml:1: app.stop goes without T: nothing here sets the output Y of S.o of db before it",
    ]


def test_outputs_of_the_topology_are_evaluated_at_the_end():
    port = Runtime("db", "PORT")
    outputs = {
        "known": [1, "x"],
        "port": port,
        "url": Text(("http://h:", port, "/")),
        "nested": {"a": [port], "b": Token(Text((port, ":b")), ":", 0)},
        "missing": Runtime("vm", "x"),
        "beyond": Text(("x", Token(port, ":", 7))),
    }
    found = topology(*MINE.nodes.values(), outputs=outputs)
    written, report = write(found, plan(("db.start", operation("start", b"PORT=1"), ())))
    assert nodes_of(written)["db.start"]["output"] == {"PORT": ""}
    assert written.evaluate({"db.start": {"PORT": "54"}}) == {
        "known": [1, "x"],
        "port": "54",
        "url": "http://h:54/",
        "nested": {"a": ["54"], "b": "54"},
        "missing": None,
        "beyond": None,
    }
    assert written.evaluate({})["url"] is None
    assert [str(each) for each in report.warnings] == ["template: outputs: nothing sets the attribute x of vm"]


def test_a_thousand_readers_are_written_quickly():
    """Each of them waits for another one: ancestors are worked out anew a thousand times. It is a matter of seconds."""
    nodes = [compute("vm"), *(node(f"n{number}", "vm") for number in range(1000))]
    steps = plan(
        *(
            (f"n{number}.start", operation("start", b"A=1", inputs={"A": Runtime(f"n{number - 1}", "A")}), ())
            for number in range(1, 1000)
        ),
        ("n0.start", operation("start", b"A=1"), ()),
    )
    written, report = write(topology(*nodes), steps)
    assert report.warnings == []
    assert sum(len(each.get("needs", ())) for each in written.gorch["nodes"]) == 999
