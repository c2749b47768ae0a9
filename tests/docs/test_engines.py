"""The engines are listed with what they honour, in docs/engines.rst and in the README, as the code has it."""

import pytest
from docutils import nodes

from docs_support import doctree
from executor import engines
from executor.config import Config
from support import ROOT

KEYS, OPTIONS = "Keys of a node", "Options"


def table(path):
    """Return the rows of the document's table of engines: texts by the titles of their columns."""
    for found in doctree(path).findall(nodes.table):
        titles, *rows = [list(row.findall(nodes.entry)) for row in found.findall(nodes.row)]
        names = [title.astext() for title in titles]
        if names[0] == "Engine":
            return [dict(zip(names, row, strict=True)) for row in rows]
    raise AssertionError(f"{path} has no table of engines")


def literals(entry):
    return {literal.astext() for literal in entry.findall(nodes.literal)}


def honoured():
    """Return for each of our engines the keys and the options that it honours."""
    drivers = engines.load(Config())
    found = {}
    for entry in engines.OURS:
        all_of_it = engines.honoured(drivers[entry.name])
        options = {name.removeprefix("options.") for name in all_of_it if name.startswith("options.")}
        found[entry.name] = (all_of_it - {f"options.{name}" for name in options}, options)
    return found


@pytest.mark.parametrize("path", ["docs/engines.rst", "README.rst"])
def test_every_engine_is_listed_with_what_it_honours(path):
    listed = {}
    for row in table(ROOT / path):
        (name,) = literals(row["Engine"])
        listed[name] = (literals(row[KEYS]), literals(row[OPTIONS]))
    assert listed == honoured()


def test_every_engine_has_a_section():
    titles = {
        section.next_node(nodes.title).astext()
        for section in doctree(ROOT / "docs" / "engines.rst").findall(nodes.section)
    }
    named = {word for title in titles for word in title.replace(",", " ").split()}
    assert set(honoured()) <= named
