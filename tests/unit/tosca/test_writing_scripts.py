"""Scripts: inline as they are, or behind a launcher that is run here by real shells."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gorchestrator.tosca.faults import Report, ToscaError
from gorchestrator.tosca.model import Runtime, Text, Token
from gorchestrator.tosca.reading.scalars import Number
from gorchestrator.tosca.writing import Options, to_gorch
from writing_support import HERE, artifact, compute, node, nodes_of, operation, plan, run_node, topology, write

MINE = topology(compute("vm"), node("db", "vm"), node("app", "vm"))
PORT = Runtime("db", "PORT")
SHELLS = [name for name in ("sh", "dash", "bash", "ash") if shutil.which(name)]


def only(what, *, local=True, **other):
    """Return the node of an operation that comes behind one that produces PORT."""
    producer = ("db.start", operation("start", b"#!/bin/sh\nPORT=5432\n"), ())
    written, report = write(MINE, plan(producer, ("app.start", what, ["db.start"])), local=local, **other)
    return nodes_of(written)["app.start"], report


def test_a_script_alone_is_inline_with_its_variables():
    made, report = only(operation("start", b"#!/bin/sh\nrun\n", inputs={"A": "x y", "N": 5}, timeout=30.0))
    assert made == {
        "name": "app.start",
        "needs": ["db.start"],
        "engine": "shell",
        "artifact": "#!/bin/sh\nrun\n",
        "env": {"A": "x y", "N": "5"},
        "timeout": 30.0,
    }
    assert report.warnings == []


def test_over_ssh_inputs_are_arguments():
    made, _ = only(operation("start", b"#!/bin/sh\nrun\n", inputs={"A": "x y", "PORT": PORT}), local=False)
    assert made["engine"] == "toscassh"
    assert made["target"] == "vm"
    assert made["args"] == ["A=x y", "PORT=get_attribute db.start:PORT"]
    assert made["artifact"] == "#!/bin/sh\nrun\n"
    assert "env" not in made


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("x.sh", b"echo", "#!/bin/sh\necho"),
        ("x.py", b"print()", "#!/usr/bin/env python3\nprint()"),
        ("x.py", b"#!/opt/python\nprint()", "#!/opt/python\nprint()"),
    ],
)
def test_a_script_without_a_first_line_gets_one(file, content, expected):
    made, _ = only(operation("start", primary=artifact(file, content)))
    assert made["artifact"] == expected


def test_values_are_texts(tmp_path):
    inputs = {
        "TRUE": True,
        "NOTHING": None,
        "VERSION": Number("1.10"),
        "LIST": ["a", 1, None, {"ü": False}],
        "MAP": {"port": PORT, "url": Text(("x", PORT))},
    }
    script = b'#!/bin/sh\nfor n in TRUE NOTHING VERSION LIST MAP; do eval "printf \'%s=%s\\n\' $n \\"\\$$n\\""; done\n'
    made, _ = only(operation("start", script, inputs=inputs, outputs=dict.fromkeys(inputs, ())))
    found = run_node(made, tmp_path, {"db.start:PORT": 'a"b\\c'})
    assert found == {
        "TRUE": "true",
        "NOTHING": "",
        "VERSION": "1.10",
        "LIST": '["a", 1, null, {"ü": false}]',
        "MAP": r'{"port": "a\"b\\c", "url": "xa\"b\\c"}',
    }


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("value", ["5432", 'it\'s $(false) `x` "q" \\n *'])
def test_texts_are_put_together_when_the_script_starts(tmp_path, local, value):
    inputs = {"URL": Text(("http://$x'/", PORT, "?", PORT)), "PLAIN": PORT, "FIXED": "'$y"}
    script = b'#!/bin/sh\nset | grep "^_gorch_[0-9]" && exit 1\nRESULT="$URL|$PLAIN|$FIXED"\n'
    made, _ = only(operation("start", script, inputs=inputs, outputs={"RESULT": ()}), local=local)
    found = run_node(made, tmp_path, {"db.start:PORT": value})
    assert found["RESULT"] == f"http://$x'/{value}?{value}|{value}|'$y"


@pytest.mark.parametrize("separators", [":", "]^!-\\", "^!", "-", "a]"])
def test_a_token_is_cut_out_when_the_script_starts(tmp_path, separators):
    text = (
        separators.join(("one", "two", "three")) if len(separators) == 1 else f"one{separators[0]}two{separators[1]}3"
    )
    made, _ = only(
        operation("start", b'#!/bin/sh\nGOT="$T"\n', inputs={"T": Token(PORT, separators, 1)}, outputs={"GOT": ()})
    )
    assert run_node(made, tmp_path, {"db.start:PORT": text})["GOT"] == "two"


def test_a_token_that_is_not_there_fails_the_node(tmp_path):
    made, _ = only(operation("start", b"#!/bin/sh\n", inputs={"T": Token(PORT, ":", 3)}))
    with pytest.raises(AssertionError, match="part 3 was asked for of 'a:b', which has fewer"):
        run_node(made, tmp_path, {"db.start:PORT": "a:b"})


@pytest.mark.parametrize("shell", SHELLS)
def test_variables_at_the_end_are_outputs(tmp_path, shell):
    """Lines come before variables, a variable that stays as it was is not one that was set."""
    script = f"""#!/usr/bin/env {shell}
set -eu
SET=1
KEPT=again
BOTH=variable
echo BOTH=ignored
echo "BOTH=file" >>"$GORCH_OUTPUT"
echo INPUT=printed
LINES='first
second'
set -- x
exit 0
""".encode()
    names = dict.fromkeys(("SET", "KEPT", "BOTH", "INPUT", "LINES", "UNSET", "PATH", "SAME"), ())
    inputs = {"KEPT": "before", "INPUT": "before", "SAME": "same"}
    made, _ = only(operation("start", script, inputs=inputs, outputs=names))
    found = run_node(made, tmp_path)
    assert found == {
        "SET": "1",
        "KEPT": "again",
        "BOTH": "file",
        "INPUT": "printed",
        "LINES": "first",
        "SAME": "same",
    }


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_that_fails_fails_the_node(tmp_path, shell):
    made, _ = only(operation("start", f"#!/usr/bin/env {shell}\nA=1\nexit 7\n".encode(), outputs={"A": ()}))
    with pytest.raises(AssertionError):
        run_node(made, tmp_path)


@pytest.mark.parametrize("local", [True, False])
def test_dependencies_travel_along(tmp_path, local):
    """Beside each other as they are beside the template, whatever is in them."""
    end = b"_GORCH_END\n$HOME `x` \\ '\n"
    files = [
        artifact("lib/common.sh", b"hello() { echo got=$1; }\n"),
        artifact("../data/raw file.bin", bytes(range(256))),
        artifact("lib/text", end),
        artifact("unended", b"no newline"),
    ]
    script = b"""#!/bin/sh
here=$(dirname "$0")
. "$here/../lib/common.sh"
. ../lib/common.sh
hello "$(cksum <"$here/../../data/raw file.bin")|$(cksum <"$here/../lib/text")|$(cat ../unended)"
"""
    what = operation("start", primary=artifact("scripts/start.sh", script), dependencies=files, outputs={"got": ()})
    made, _ = only(what, local=local)
    (tmp_path / "raw").write_bytes(bytes(range(256)))
    (tmp_path / "text").write_bytes(end)
    found = run_node(made, tmp_path / "job")
    sums = [_cksum(tmp_path / name) for name in ("raw", "text")]
    assert found["got"] == f"{sums[0]}|{sums[1]}|no newline"


def _cksum(path):
    with path.open("rb") as file:
        return subprocess.run(["cksum"], stdin=file, capture_output=True, text=True, check=True).stdout.strip()


def test_a_script_of_python_travels_with_its_modules(tmp_path):
    script = b"import helper, os\nprint('got=' + helper.NAME + os.environ['PORT'])\n"
    what = operation(
        "start",
        primary=artifact("start.py", script),
        dependencies=[artifact("helper.py", b"NAME = 'me'\n")],
        inputs={"PORT": PORT},
        outputs={"got": ()},
    )
    made, _ = only(what)
    assert run_node(made, tmp_path, {"db.start:PORT": "1"})["got"] == "me1"


def test_a_program_that_is_no_text_is_sent_as_it_is(tmp_path):
    program = Path(shutil.which("true")).read_bytes()
    what = operation("start", primary=artifact("program", program, type="tosca.artifacts.Implementation.Bash"))
    made, _ = only(what)
    run_node(made, tmp_path)


def test_what_is_too_large_is_refused():
    report = Report()
    what = operation("start", dependencies=[artifact("big", b"x" * 1_000_000)])
    to_gorch(MINE, plan(("app.start", what, ())), Options(local=True), report)
    with pytest.raises(
        ToscaError, match=r"start.sh and what it depends on are 1,\d+,\d+ characters of at most 1,048,576"
    ):
        report.check()


def test_names_that_no_variable_can_have_are_changed():
    made, report = only(operation("start", inputs={"db-port": "1", "2nd": "x"}))
    assert made["env"] == {"db_port": "1", "_2nd": "x"}
    assert [each.text for each in report.warnings] == [
        "the input db-port of app.start is the variable db_port",
        "the input 2nd of app.start is the variable _2nd",
    ]
    report = Report()
    what = operation("start", inputs={"a-b": "1", "a_b": "x"})
    to_gorch(MINE, plan(("app.start", what, ())), Options(), report)
    assert [str(each) for each in report.faults] == ["mine.yaml:1: two inputs of app.start are the variable a_b"]
    assert report.faults[0].place == HERE


def test_a_file_that_is_not_here_is_named():
    """It may be on the executor; there is no launcher in front of it, so it gets what its engine can give it."""
    what = operation("start", primary=artifact("there.sh", None), inputs={"A": "1", "P": PORT, "T": Text(("x", PORT))})
    made, report = only(what, local=False)
    assert (made["artifact"], made["args"]) == ("there.sh", ["A=1", "P=get_attribute db.start:PORT"])
    assert "left out of app.start: T" in report.warnings[-1].text
    made, report = only(what, local=True)
    assert (made["artifact"], made["env"]) == ("there.sh", {"A": "1"})
    assert "args" not in made
    assert [each.text[:24] for each in report.warnings] == ["left out of app.start: T", "left out of app.start: P"]
