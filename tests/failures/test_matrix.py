"""The failure matrix and the tests of this folder are the same: each row names a test, each test is in a row."""

import ast

from docutils import nodes

from docs_support import doctree
from gorchestrator.common.faultpoints import POINTS
from support import ROOT

FOLDER = ROOT / "tests" / "failures"


def in_the_matrix():
    document = doctree(ROOT / "docs" / "failure-matrix.rst")
    rows = [list(row.findall(nodes.entry)) for row in next(document.findall(nodes.table)).findall(nodes.row)]
    assert [entry.astext() for entry in rows[0]] == ["Failure", "Promise", "What the user sees", "Test"]
    return [row[3].astext() for row in rows[1:]]


def written():
    paths = [path for path in FOLDER.glob("test_*.py") if path.name != "test_matrix.py"]
    functions = [item for path in paths for item in ast.parse(path.read_text()).body]
    return [item.name for item in functions if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")]


def test_every_row_is_a_test_and_every_test_is_a_row():
    assert sorted(in_the_matrix()) == sorted(written())


def test_every_fault_point_is_in_the_code_once():
    sources = [path.read_text() for path in ROOT.glob("gorchestrator/**/*.py")]
    assert {point: sum(text.count(f'reached("{point}"') for text in sources) for point in POINTS} == dict.fromkeys(
        POINTS, 1
    )
