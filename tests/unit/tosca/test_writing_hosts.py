"""Where operations run, what reaches them as it is, and files that travel along because an input names them."""

import pytest

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import FileName, Runtime, Text, Token
from gorchestrator.tosca.writing import Options, to_gorch
from writing_support import artifact, compute, node, nodes_of, operation, plan, run_node, topology, write

MINE = topology(compute("vm"), node("app", "vm"), node("free"))
BOOK = b"- hosts: all\n"


def only(what, where="app", **options):
    """Return the node of an operation, and the warnings."""
    written, report = write(MINE, plan((f"{where}.start", what, [])), **options)
    return nodes_of(written)[f"{where}.start"], [each.text for each in report.warnings]


def faults(what, where="app", **options):
    report = Report()
    to_gorch(MINE, plan((f"{where}.start", what, [])), Options(**options), report)
    return [each.text for each in report.faults]


@pytest.mark.parametrize(
    ("where", "host", "options", "target", "told"),
    [
        ("app", "", {}, "vm", False),
        ("app", "ORCHESTRATOR", {}, "localhost", False),
        ("app", "", {"local": True}, "localhost", False),
        ("free", "", {}, "localhost", True),
    ],
)
def test_a_playbook_never_runs_on_hosts_that_nobody_named(where, host, options, target, told):
    made, warnings = only(operation("start", primary=artifact("x.yml", BOOK), host=host), where, **options)
    assert (made["engine"], made["target"]) == ("ansible", target)
    assert any("is on no Compute node" in text for text in warnings) == told


def test_an_engine_of_other_hosts_needs_one():
    assert "there is no host for it" in faults(operation("start"), "free", engines={"sh": "ssh"})[0]
    made, _ = only(operation("start"), engines={"sh": "shell"})
    assert "target" not in made


def test_ends_of_a_relationship_mean_nothing_for_an_operation_of_a_node():
    made, warnings = only(operation("start", host="TARGET"))
    assert made["target"] == "vm"
    assert ["means nothing here" in text for text in warnings] == [True]


@pytest.mark.parametrize(("type_", "file"), [("my.K8s", "d.yaml"), ("my.DockerCompose", "c.yml")])
def test_a_type_that_says_something_else_is_not_overruled_by_the_extension(type_, file):
    found = faults(operation("start", primary=artifact(file, b"kind: Pod\n", type=type_)))
    assert ["nothing tells what runs" in text for text in found] == [True]


def test_engines_for_what_is_not_there_are_told():
    _, warnings = only(operation("start"), engines={"tf": "terraform"})
    assert warnings == ["--engine tf: nothing that runs has this type or extension"]
    assert only(operation("start", primary=artifact("X.TF", b"x")), engines={"tf": "mine"})[0]["engine"] == "mine"


def test_a_text_that_reads_like_a_reference_stays_a_text():
    what = operation("start", inputs={"A": "get_attribute db:port", "B": "b"})
    made, _ = only(what)
    assert (made["args"], made["env"]) == (["B=b"], {"A": "get_attribute db:port"})
    book = operation("start", primary=artifact("x.yml", BOOK), inputs=what.inputs)
    made, warnings = only(book)
    assert made["args"] == ["B=b"]
    assert any("would be looked up" in text for text in warnings)


def test_two_files_of_one_name_are_refused():
    what = operation("start", dependencies=[artifact("lib.sh", b"a\n"), artifact("lib.sh", b"b\n")])
    assert ["two files lib.sh that differ" in text for text in faults(what, local=True)] == [True]


@pytest.mark.parametrize("local", [True, False])
def test_a_file_that_an_input_names_travels_along(tmp_path, local):
    conf = artifact("etc/my conf.txt", b"colour: blue\n")
    script = b'#!/bin/sh\ncd /\nx=$(cat "$CONF")\n'
    made, _ = only(operation("start", script, inputs={"CONF": FileName(conf)}, outputs={"x": ()}), local=local)
    assert run_node(made, tmp_path / "run")["x"] == "colour: blue"


def test_values_of_the_run_in_json_may_have_any_character(tmp_path):
    port = Runtime("vm", "p")
    reader = operation("start", b"#!/bin/sh\nout=$J\n", inputs={"J": {"a": port}}, outputs={"out": ()})
    steps = plan(("vm.create", operation("create", b"#!/bin/sh\np=1\n"), []), ("app.start", reader, ["vm.create"]))
    made = nodes_of(write(MINE, steps, local=True)[0])["app.start"]
    value = 'tab\t "quoted" back\\slash'
    assert (
        run_node(made, tmp_path / "run", {"vm.create:p": value})["out"]
        == '{"a": "tab\\u0009 \\"quoted\\" back\\\\slash"}'
    )


@pytest.mark.parametrize(("index", "part"), [(0, "aà€b"), (1, "c"), (2, "d")])
def test_separators_of_any_alphabet_cut_between_characters_alone(tmp_path, index, part):
    wanted = Token(Runtime("vm", "p"), "é✓", index)
    reader = operation("start", b"#!/bin/sh\nout=$T\n", inputs={"T": wanted}, outputs={"out": ()})
    steps = plan(("vm.create", operation("create", b"#!/bin/sh\np=1\n"), []), ("app.start", reader, ["vm.create"]))
    made = nodes_of(write(MINE, steps, local=True)[0])["app.start"]
    assert run_node(made, tmp_path / "run", {"vm.create:p": "aà€b✓céd"})["out"] == part


def test_a_token_that_a_known_text_does_not_have_fails_where_it_is_asked_for():
    address = Runtime("vm", "private_address")
    made, _ = only(operation("start", inputs={"T": Text(("v", Token(address, ".", 9)))}), hosts={"vm": "1.2.3.4"})
    assert "_gorch_token 1.2.3.4" in made["artifact"]


def test_a_script_of_an_old_alphabet_is_run_by_what_its_name_says(tmp_path):
    content = "# -*- coding: latin-1 -*-\nprint('x=' + 'é')\n".encode("latin-1")
    made, _ = only(operation("start", primary=artifact("x.py", content), outputs={"x": ()}), local=True)
    assert run_node(made, tmp_path / "run") == {"x": "é"}
