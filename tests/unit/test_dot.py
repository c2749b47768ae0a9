"""Pictures of graphs: what Graphviz and a reader of XML make of them has to be what the graph says, for any name."""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gorchestrator.common.states import State
from gorchestrator.domain.build import build
from gorchestrator.domain.graph import Graph, Node
from gorchestrator.dot import graphviz, svg
from gorchestrator.dot.looks import LOOKS
from gorchestrator.dot.words import columns, cut, first_line, safe
from gorchestrator.web.layout.drawing import draw
from support import ROOT

SVG = "{http://www.w3.org/2000/svg}"
TIP = "{http://www.w3.org/1999/xlink}title"
HIDDEN = "\n\r\t\x00\x1b\x7f\u2028\u200e\u200f\u202e\u2066\u061c\ufffe\uffff\ud800"
SIGNS = f"{{}}|<>\\\"'&;#=%-] \u00a0NGLnlr…א漢e\u0301😀\u200d{HIDDEN}"
TEXT = st.text(st.one_of(st.sampled_from(SIGNS), st.characters()), max_size=60)
ODD = [
    "",
    " ",
    "a  b ",
    "\\",
    "\\\\",
    "\\N\\G\\n\\l",
    '"',
    '\\"',
    "{a|b}",
    "<port> a",
    "&amp;&#123;&lt;",
    "<b>bold</b>",
    "]]><!-- -->",
    "a\nb",
    "\u202eevil\u202c",
    "\u200fשלם\u200f",
    "\x00\x1b[31m",
    "\ufffe\uffff\ud800",
    "-> n0; }",
    "x" * 255,
    "漢" * 100,
    "e\u0301" * 100,
]


@pytest.fixture(scope="module")
def program() -> str:
    found = shutil.which("dot")
    if found is None:
        assert not os.environ.get("CI"), "CI needs Graphviz: .ci/run installs it"
        pytest.skip("there is no Graphviz on this machine; `apt-get install graphviz`")
    return found


def graph_of(*nodes: Node, name: str = "mine") -> Graph:
    return Graph(name, nodes)


def graphviz_draws(program: str, lines: object) -> ET.Element:
    """Return the SVG that Graphviz makes of a text, about which it must not complain."""
    text = "\n".join(lines).encode()
    # A font with all letters is found, or not, by the machine: that is not what the text is tested for.
    done = subprocess.run([program, "-Tsvg"], input=text, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    complaints = [line for line in done.stderr.decode().splitlines() if "syntax" in line or "bad label" in line]
    assert complaints == []
    return ET.fromstring(done.stdout)


def texts(element: ET.Element) -> list[str]:
    return [plain("".join(text.itertext())) for text in element.iter(f"{SVG}text")]


def plain(text: str) -> str:
    """Return a text as Graphviz draws it: with spaces that keep their width."""
    return text.replace("\u00a0", " ")


def drawn_nodes(root: ET.Element) -> dict[str, ET.Element]:
    groups = [group for group in root.iter(f"{SVG}g") if group.get("class") == "node"]
    return {group.findtext(f"{SVG}title"): group for group in groups}


def drawn_edges(root: ET.Element) -> set[str]:
    groups = [group for group in root.iter(f"{SVG}g") if group.get("class") == "edge"]
    return {group.findtext(f"{SVG}title") for group in groups}


# -- Graphviz


def check_names(program: str, names: list[str]) -> None:
    graph = graph_of(
        *(Node(place, name, "shell", name, name, needs=(0,) if place else ()) for place, name in enumerate(names)),
        name=names[0],
    )
    root = graphviz_draws(program, graphviz(graph, [State.SUCCESS] * len(names)))
    found = drawn_nodes(root)
    assert found.keys() == {f"n{place}" for place in range(len(names))}
    for place, name in enumerate(names):
        artifact = first_line(name)
        wanted = [name, "shell", artifact, name and f"@{name}"]
        shown = [plain(cut(text, 40)) for text in wanted if text]
        group = found[f"n{place}"]
        # What is nothing but space leaves no text behind.
        assert [text.strip() for text in texts(group) if text.strip()] == [
            text.strip() for text in [*shown, "✓ success"] if text.strip()
        ]
        tips = [each.get(TIP) for each in group.iter() if each.get(TIP) is not None]
        assert [plain(tip) for tip in tips] == ([plain(safe(name).replace("\\", "\N{SET MINUS}"))] if name else tips)


def test_graphviz_shows_odd_names_as_they_are(program):
    check_names(program, ODD)


@given(names=st.lists(TEXT, min_size=1, max_size=30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_graphviz_shows_any_name_as_it_is(program, names):
    check_names(program, names)


@pytest.mark.parametrize(
    "document",
    [
        {"nodes": [{"name": "a"}, {"name": "b", "needs": ["a"]}, {"name": "c", "needs": [0, "b"]}]},
        {
            "nodes": [{"name": "c", "id": 2}, {"name": "a", "id": 0}, {"name": "b", "id": 1}],
            "digraph": [0, 1, 1, 0, 0, 1, 0, 0, 0],
        },
    ],
    ids=["needs", "digraph"],
)
def test_graphviz_draws_the_edges(program, document):
    root = graphviz_draws(program, graphviz(build(document)))
    assert drawn_edges(root) == {"n0->n1", "n0->n2", "n1->n2"}
    assert [texts(drawn_nodes(root)[f"n{place}"])[0] for place in range(3)] == ["a", "b", "c"]


def test_an_empty_graph_and_a_large_one_are_drawn(program):
    assert drawn_nodes(graphviz_draws(program, graphviz(graph_of()))) == {}
    chain = [Node(place, f"n{place}", needs=(place - 1,) if place else ()) for place in range(300)]
    assert len(drawn_edges(graphviz_draws(program, graphviz(graph_of(*chain))))) == 299


def test_each_state_has_its_own_look_in_graphviz(program):
    nodes = [Node(place, state.label) for place, state in enumerate(State)]
    root = graphviz_draws(program, graphviz(graph_of(*nodes), list(State)))
    colours = set()
    for place, state in enumerate(State):
        group = drawn_nodes(root)[f"n{place}"]
        assert texts(group)[-1] == f"{LOOKS[state].glyph} {state.label}"
        colours.add(next(each.get("stroke") for each in group.iter() if each.get("stroke")))
    assert len(colours) == len(State)


def test_without_states_none_is_shown():
    lines = "\n".join(graphviz(graph_of(Node(0, "a", "shell", "#!/bin/sh\nexit 1", "web1"))))
    assert r'[label="a|shell|#!/bin/sh\ …|@web1", tooltip="a"]' in lines


# -- SVG


def picture(graph: Graph, states: list[State] | None = None) -> ET.Element:
    layout = draw([node.needs for node in graph.nodes], simple=True)
    return ET.fromstring("".join(f"{line}\n" for line in svg(graph, layout, states)).encode())


def named(names: list[str]) -> Graph:
    return graph_of(*(Node(place, name, name, name, name) for place, name in enumerate(names)), name=names[0])


def check_svg(names: list[str]) -> None:
    root = picture(named(names), [State.FAILURE] * len(names))
    groups = [group for group in root.iter(f"{SVG}g") if (group.get("class") or "").startswith("node")]
    for name, group in zip(names, groups, strict=True):
        lines = group.findtext(f"{SVG}title").split("\n")
        assert lines[:2] == [safe(name), "failure"]
        about = {"engine": name, "artifact": first_line(name), "target": name}
        assert lines[2:] == [f"{what}: {safe(value)}" for what, value in about.items() if value]
        shown = group.findtext(f".//{SVG}text[@class='name']")
        head, _, tail = shown.partition("…")
        assert shown == safe(name) or (safe(name).startswith(head) and safe(name).endswith(tail))


def test_the_svg_shows_odd_names_as_they_are():
    check_svg(ODD)


@given(names=st.lists(TEXT, min_size=1, max_size=10))
@settings(max_examples=100, deadline=None)
def test_the_svg_is_xml_for_any_name(names):
    check_svg(names)


def test_the_svg_has_a_line_for_each_edge_and_its_states():
    graph = build({"name": "g", "nodes": [{"name": "a"}, {"name": "b", "needs": ["a"]}]})
    root = picture(graph, [State.SUCCESS, State.TIMEOUT])
    assert len(root.findall(f"{SVG}path[@class='edge']")) == 1
    assert [group.get("class") for group in root.findall(f"{SVG}g")] == ["node success", "node timeout"]
    assert root.findtext(f"{SVG}title") == "g"
    style = root.findtext(f"{SVG}style")
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    assert ".success { stroke: #09705a; fill: #09705a; }" in light
    assert ".timeout { stroke: #d593ec; fill: #d593ec; }" in dark
    assert ".running" not in style


def test_the_svg_takes_nothing_from_elsewhere():
    text = "\n".join(svg(graph_of(Node(0, "a")), draw([()]), None)).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|<script|<image|href|@import", text)


# -- words


@given(text=st.text(st.one_of(st.sampled_from(SIGNS), st.characters()), max_size=300), room=st.integers(1, 60))
def test_what_is_cut_fits_and_keeps_both_ends(text, room):
    found = cut(text, room)
    assert sum(map(columns, found)) <= room
    if sum(map(columns, safe(text))) <= room:
        assert found == safe(text)
    else:
        head, _, tail = found.partition("…") if "…" not in safe(text) else ("", "", "")
        assert safe(text).startswith(head)
        assert safe(text).endswith(tail)


def test_names_that_differ_at_their_ends_can_be_told_apart():
    assert cut("deploy-the-database-of-server-17", 20) == "deploy-the-da…ver-17"
    assert cut("e\u0301" * 10, 5) == "e\u0301" * 3 + "…" + "e\u0301"
    assert cut("x" * 5000, 9) == "xxxxxx…x" + "…"


@pytest.mark.parametrize(
    ("artifact", "line"),
    [("", ""), ("make", "make"), ("#!/bin/sh\nexit 1\n", "#!/bin/sh …"), ("\n\n", ""), ("a\r\n", "a")],
)
def test_of_a_script_the_first_line_is_shown(artifact, line):
    assert first_line(artifact) == line


# -- looks


def test_states_look_as_in_the_web_client():
    static = ROOT / "gorchestrator" / "web" / "static"
    script = (static / "js" / "states.js").read_text("utf-8")
    light, dark = (static / "css" / "base.css").read_text("utf-8").split("@media (prefers-color-scheme: dark)", 1)
    disc = re.search(r'DISC = "(.*?)"', script)[1]
    rows = re.findall(r'number: (\d+), name: "(\w+)", glyph: "(.)", path: ["`](.*?)["`]', script)
    there = {
        State(int(number)): (name, glyph, colour(light, name), colour(dark, name), path.replace("${DISC}", disc))
        for number, name, glyph, path in rows
    }
    assert {
        state: (state.label, look.glyph, look.light, look.dark, look.path) for state, look in LOOKS.items()
    } == there
    assert LOOKS.keys() == set(State)


def colour(css: str, state: str) -> str:
    return re.search(rf"--state-{state}: (#\w{{6}});", css)[1]
