"""A graph as Graphviz text: a record for each node, with its name, engine, artifact and target, and its state if known.

Nodes are called by their numbers, and every text of others is within quotes, so no name can be taken for anything else.
"""

from collections.abc import Iterator, Sequence

from gorchestrator.common.states import State
from gorchestrator.domain.graph import Graph, Node
from gorchestrator.dot.looks import LOOKS
from gorchestrator.dot.words import cut, first_line, safe

_ROOM = 40  # columns of a line
_HEAD = """digraph gorch {
  graph [rankdir=LR, charset="UTF-8", fontname="Helvetica,Arial,sans-serif", labelloc=t, label=%s];
  node [shape=record, style="rounded,filled", color="#8a93a3", fillcolor="#ffffff", fontcolor="#1b2130",
        fontname="Helvetica,Arial,sans-serif", fontsize=11, height=0.3];
  edge [color="#59627a", arrowsize=0.7];"""
# In a string, backslashes begin something and entities are replaced; a record has signs of its own besides.
_OF_STRINGS = str.maketrans({"\\": r"\\", '"': r"\"", "&": "&amp;"})
_OF_RECORDS = str.maketrans({sign: f"\\{sign}" for sign in "{}|<> "})
# How often a tooltip is read for backslashes depends on the version of Graphviz: it gets a sign that looks like one.
_OF_TOOLTIPS = str.maketrans("\\", "\N{SET MINUS}")


def graphviz(graph: Graph, states: Sequence[State] | None = None) -> Iterator[str]:
    """Yield the lines of the text. ``states``: that of each node, by its id, if they are to be shown."""
    yield _HEAD % _quoted(safe(graph.name))
    for node in graph.nodes:
        yield _node(node, None if states is None else states[node.id])
    for node in graph.nodes:
        if node.needs:
            yield f"  {{{' '.join(f'n{before}' for before in node.needs)}}} -> n{node.id};"
    yield "}"


def _node(node: Node, state: State | None) -> str:
    lines = [node.name, node.engine, first_line(node.artifact), node.target and f"@{node.target}"]
    more = ""
    if state is not None:
        look = LOOKS[state]
        lines.append(f"{look.glyph} {state.label}")
        more = f', style="{look.line}", color="{look.light}", fillcolor="{look.tint}"'
    label = "|".join(_escaped(cut(line, _ROOM)).translate(_OF_RECORDS) for line in lines if line)
    return f'  n{node.id} [label="{label}", tooltip={_quoted(safe(node.name).translate(_OF_TOOLTIPS))}{more}];'


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.translate(_OF_STRINGS)
