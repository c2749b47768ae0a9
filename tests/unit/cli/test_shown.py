"""What people see: tables, progress, examples."""

import io

import pytest
from rich.console import Console

from gorchestrator.cli import examples, report, tables
from gorchestrator.cli.progress import Lines, LiveTable, display, running
from gorchestrator.common.examples import EXPECTED
from support import ROOT


def node(name, state, **more):
    return {"id": 0, "name": name, "state": state, "start_date": None, "stop_date": None, "output": {}, **more}


def task(state, *nodes, name="g"):
    return {"id": "0" * 32, "name": name, "state": state, "nodes": list(nodes), "start_date": None, "stop_date": None}


def rendered(table):
    out = Console(file=io.StringIO(), width=400)
    out.print(table)
    return out.file.getvalue()


def test_names_are_text_and_never_markup_or_steering():
    shown = rendered(
        tables.node_table([node("[red]x[/red]\x1b[2J", 4, reason="a\nb", output={"o": "[b]"}, exit_code=1)])
    )
    assert "[red]x[/red]\\x1b[2J" in shown
    assert "a\\nb" in shown
    assert "o=[b]" in shown
    assert "failure" in shown


def test_long_outputs_are_cut():
    assert tables.outputs(node("a", 3, output={"o": "x" * 65536, "p": "y" * 80})) == f"o={'x' * 79}…, p={'y' * 80}"


@pytest.mark.parametrize(
    ("length", "shown"), [(-1, "0 ms"), (0.2561, "256 ms"), (12.34, "12.3 s"), (185, "3:05 min"), (7385, "2:03:05 h")]
)
def test_lengths_of_time(length, shown):
    assert tables.seconds(length) == shown


def test_durations_end_with_the_stop():
    item = {"start_date": "2026-11-01T12:00:00.000000Z", "stop_date": "2026-11-01T12:00:02.500000Z"}
    assert tables.duration(item) == "2.5 s"
    assert tables.duration({"start_date": None, "stop_date": None}) == ""


def test_without_a_terminal_progress_is_a_line_for_each_change(capsys):
    with display() as shown:
        assert isinstance(shown, Lines)
        for state in (1, 1, 2, 3):
            shown.update(task(3 if state == 3 else 2, node("a", state), node("b", 3)))
        shown.say("hello")
    lines = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "g: running, 1 of 2 nodes done",
        "g: running, 1 of 2 nodes done, running: a",
        "g: success, 2 of 2 nodes done",
        "hello",
    ]


def test_progress_of_a_graph_without_a_name_shows_its_id(capsys):
    nameless = task(2, node("a", 2), name="")
    with display() as shown:
        shown.update(nameless)
    assert " 00000000: running, 0 of 1 nodes done" in capsys.readouterr().out
    out = Console(file=io.StringIO(), force_terminal=True, width=100)
    with LiveTable(out) as table:
        table.update(nameless)
    assert "00000000" in out.file.getvalue()


def test_on_a_terminal_progress_is_a_table():
    out = Console(file=io.StringIO(), force_terminal=True, width=100)
    with LiveTable(out) as shown:
        shown.update(task(2, node("a[b]", 2), node("b", 3)))
        shown.say("[hello]")
    text = out.file.getvalue()
    assert "a[b]" in text
    assert "[hello]" in text
    assert "1/2" in text


def test_many_running_nodes_are_counted():
    assert running(task(2, *[node(f"n{i}", 2) for i in range(7)])) == "n0, n1, n2, n3, n4 and 2 more"


def test_examples_name_every_node_of_their_gorch():
    found = examples.load_all()
    assert len(found) >= 7
    for example in found:
        assert [each["name"] for each in example.gorch["nodes"]] == list(example.nodes), example.file


def test_every_example_file_is_expected_to_end_somehow():
    files = {path.name for path in (ROOT / "examples").iterdir() if path.name.endswith(".json")}
    assert files == {example.file for example in examples.load_all()} | {EXPECTED}


def test_an_example_that_ended_in_another_way_is_reported(capsys):
    example = next(each for each in examples.load() if each.file == "demo.json")
    nodes = [node(name, 3, output=dict(example.output.get(name, {}))) for name in example.nodes]
    known = {"0" * 32: example}
    assert not report.show([task(3, *nodes, name=example.gorch["name"])], known)
    assert "All 1 graphs ended as they have to." in capsys.readouterr().out
    nodes[3] |= {"state": 4, "reason": "no\nreally", "output": {}}
    nodes.append(node("more", 3))
    assert report.show([task(4, *nodes, name=example.gorch["name"])], known)
    out = capsys.readouterr().out
    assert "NOT AS EXPECTED demo.json: the graph has to be success and is failure" in out
    assert "node join has to be success and is failure: no" in out
    assert "output left has to be 'hello' and is None" in out
    assert "success ✗" in out
    assert "node more is not one of the example's" in out


def test_graphs_of_the_user_are_shown_too_and_may_be_named_as_an_example(capsys):
    example = next(each for each in examples.load() if each.file == "demo.json")
    for name in ("mine", example.gorch["name"]):
        assert not report.show([task(4, node("x", 4), name=name)], {"f" * 32: example})
        out = capsys.readouterr().out
        assert name in out
        assert "demo.json" not in out
