"""A graph as an SVG document of its own: light or dark as its reader wants it, without scripts, fonts or other files.

Where things stand is handed in, as ``gorchestrator.web.layout`` says it: this only paints, as the web client does.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from gorchestrator.common.states import State
from gorchestrator.domain.graph import Graph, Node
from gorchestrator.dot.looks import LOOKS
from gorchestrator.dot.words import columns, cut, first_line

_PADDING = 9  # pixels from the border of a node to its shape or its text
_SHAPE = 16
_GAP = 8  # between the two
_NAME, _NOTE = 12.5, 10.5  # pixels of the letters
_TITLE_ROOM = 300  # columns
# How wide letters are, in parts of their size, in the widest of the usual fonts.
_NARROW, _WIDE = frozenset(" !'(),-./:;I[]fijlrt|"), frozenset("%&@MWmw—…")

_LIGHT = {
    "page": "#f6f7f9",
    "box": "#ffffff",
    "line": "#8a93a3",
    "edge": "#59627a",
    "name": "#1b2130",
    "note": "#59627a",
}
_DARK = {
    "page": "#10141b",
    "box": "#171c25",
    "line": "#6b778b",
    "edge": "#9ba6b8",
    "name": "#e4e8ef",
    "note": "#9ba6b8",
}
_STYLE = f"""text {{
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  white-space: pre;
}}
.name {{ font-size: {_NAME}px; font-weight: 600; }}
.note {{ font-size: {_NOTE}px; }}
.box {{ stroke-width: 1.25; }}
.edge {{ fill: none; stroke-width: 1.25; }}"""


def svg(graph: Graph, layout: Mapping[str, Any], states: Sequence[State] | None = None) -> Iterator[str]:
    """Yield the lines of the document.

    ``layout``: ``width``, ``height``, ``node_width``, ``node_height``, ``nodes`` and ``edges`` in pixels, as
    :func:`gorchestrator.web.layout.drawing.draw` returns it. ``states``: that of each node, by its id, if they are to
    be shown.
    """
    width, height = layout["width"], layout["height"]
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">'
    )
    yield f"<title>{_text(cut(graph.name, _TITLE_ROOM))}</title>"
    yield from _style(sorted(set(states or ())))
    box = (layout["node_width"], layout["node_height"])
    yield from _definitions(*box, shown=states is not None)
    yield '<rect class="page" width="100%" height="100%"/>'
    for _, _, points in layout["edges"]:
        yield f'<path class="edge" d="M{" ".join(map(str, points))}" marker-end="url(#gorch-arrow)"/>'
    for node, (x, y) in zip(graph.nodes, layout["nodes"], strict=True):
        left, top = x - box[0] / 2, y - box[1] / 2
        yield from _node(node, None if states is None else states[node.id], left, top, *box)
    yield "</svg>"


def _style(states: Sequence[State]) -> Iterator[str]:
    yield "<style>"
    yield _STYLE
    yield from _colours(_LIGHT)
    yield from (f".{state.label} {{ stroke: {LOOKS[state].light}; fill: {LOOKS[state].light}; }}" for state in states)
    yield "@media (prefers-color-scheme: dark) {"
    yield from _colours(_DARK)
    yield from (f".{state.label} {{ stroke: {LOOKS[state].dark}; fill: {LOOKS[state].dark}; }}" for state in states)
    yield "}"
    yield "</style>"


def _colours(colours: Mapping[str, str]) -> Iterator[str]:
    """Yield the rules of a theme. A box has no fill of its own but this, whatever the group around it says."""
    yield ".page {{ fill: {page}; }}".format(**colours)
    yield ".node {{ stroke: {line}; }}".format(**colours)
    yield ".box {{ fill: {box}; }}".format(**colours)
    yield ".edge {{ stroke: {edge}; }} .arrow {{ fill: {edge}; }}".format(**colours)
    yield ".name {{ fill: {name}; stroke: none; }} .note {{ fill: {note}; stroke: none; }}".format(**colours)


def _definitions(width: float, height: float, *, shown: bool) -> Iterator[str]:
    """Yield what is used many times. What a font makes wider than it was measured is cut at the border."""
    left = _text_at(shown=shown)
    yield "<defs>"
    yield (
        '<marker id="gorch-arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7"'
        ' markerUnits="userSpaceOnUse" orient="auto"><path class="arrow" d="M0 0 8 4 0 8Z"/></marker>'
    )
    yield f'<clipPath id="gorch-text"><rect x="{left}" width="{width - left - 2}" height="{height}"/></clipPath>'
    yield "</defs>"


def _node(node: Node, state: State | None, left: float, top: float, width: float, height: float) -> Iterator[str]:
    look = "" if state is None else f" {state.label}"
    yield f'<g class="node{look}" transform="translate({left:g} {top:g})"><title>{_text(_title(node, state))}</title>'
    yield f'<rect class="box" width="{width}" height="{height}" rx="6"/>'
    if state is not None:
        place = f"translate({_PADDING} {(height - _SHAPE) / 2:g})"
        yield f'<path d="{LOOKS[state].path}" fill-rule="evenodd" stroke="none" transform="{place}"/>'
    x = _text_at(shown=state is not None)
    room = width - x - _PADDING
    note = " · ".join(filter(None, [node.engine, first_line(node.artifact), node.target and f"@{node.target}"]))
    yield f'<g clip-path="url(#gorch-text)">{_line("name", node.name, x, height / 2 - 3, room / _NAME)}'
    yield f"{_line('note', note, x, height / 2 + 12, room / _NOTE)}</g></g>"


def _text_at(*, shown: bool) -> int:
    return _PADDING + (_SHAPE + _GAP if shown else 0)


def _line(kind: str, text: str, x: float, y: float, room: float) -> str:
    return f'<text class="{kind}" x="{x}" y="{y:g}">{_text(cut(text, room, _ems))}</text>'


def _title(node: Node, state: State | None) -> str:
    about = {"engine": node.engine, "artifact": first_line(node.artifact), "target": node.target}
    lines = [node.name, *([] if state is None else [state.label])]
    lines += [f"{what}: {value}" for what, value in about.items() if value]
    return "\n".join(cut(line, _TITLE_ROOM) for line in lines)


def _ems(character: str) -> float:
    wide = columns(character)
    if wide != 1:
        return wide / 2
    if character in _NARROW:
        return 0.42
    return 1.0 if character in _WIDE else 0.78 if character.isupper() else 0.66


def _text(text: str) -> str:
    return escape(text)
