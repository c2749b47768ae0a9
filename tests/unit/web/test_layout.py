"""Drawings of graphs of all shapes: what stands where, and what meets what."""

import pytest

from gorchestrator.web.layout import drawing, sugiyama
from gorchestrator.web.layout.drawing import draw
from gorchestrator.web.layout.packing import pack
from gorchestrator.web.layout.part import HEIGHT, ROW, Part
from gorchestrator.web.layout.placement import Piece
from layout_support import any_pairs, chain, check, complete, fan, near, needs_of

SHAPES = {
    "nothing": [],
    "one": [[]],
    "two apart": [[], []],
    "chain": chain(30),
    "fan": fan(50),
    "diamond with a short cut": [[], [0], [0], [1, 2], [0, 3]],
    "near": near(300, 20),
    "any pairs": any_pairs(200, 300),
    "sparse pairs": any_pairs(200, 60),
    "complete": complete(40),
    "chain with all short cuts": needs_of(60, [*((n, n + 1) for n in range(59)), *((n, 59) for n in range(58))]),
    "many parts": [[] if node % 3 == 0 else [node - 1] for node in range(100)],
    "parts of all sizes": [[] if node in {0, 40, 41, 70, 99} else [node - 1] for node in range(100)],
}


@pytest.mark.parametrize("simple", [False, True], ids=["library", "simple"])
@pytest.mark.parametrize("needs", SHAPES.values(), ids=list(SHAPES))
def test_nodes_stand_apart_and_edges_meet_none(needs, simple):
    check(needs, draw(needs, simple=simple))


@pytest.mark.parametrize("seed", range(20))
def test_any_graph_is_drawn_right(seed):
    needs = any_pairs(40, 20 + 5 * seed, seed)
    check(needs, draw(needs))
    check(needs, draw(needs, simple=True))


@pytest.mark.parametrize("most", [0, 5, 100])
def test_what_the_library_is_not_given_is_led_around(monkeypatch, most):
    """However many edges it is not given, and if some of the graph falls apart by that."""
    monkeypatch.setattr(sugiyama, "MOST_PASSED", most)
    for seed in range(10):
        needs = any_pairs(60, 90, seed)
        check(needs, draw(needs))


def test_the_longest_edges_are_left_out_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(drawing, "MOST_EDGES", 100)
    needs = complete(20)
    found = draw(needs)
    check(needs, found)
    assert found["omitted"] == 90
    spans = [end - start for start, end, _ in found["edges"]]
    assert sorted(spans)[-2:] == [6, 7]


def test_a_straight_line_has_two_points():
    assert [line for *_, line in draw(chain(3))["edges"]] == [[180, 38, 260, 38], [420, 38, 500, 38]]


def test_nodes_that_come_too_close_are_pushed_apart():
    """Whoever has placed them."""
    needs = [[], [], [], [0, 1], [2, 3]]
    layer = {0: 0, 1: 0, 2: 0, 3: 1, 4: 2}
    edges = [(before, node) for node, all_before in enumerate(needs) for before in all_before]
    piece = Piece({0: 0.0, 1: 0.1, 2: 0.1, 3: 0.0, 4: 0.0}, {(2, 4): [0.0]})
    part = Part(layer, [piece], edges)
    assert sorted(y for node, (_, y) in part.nodes().items() if layer[node] == 0) == [
        HEIGHT // 2 + ROW * n for n in range(3)
    ]
    passing = part.edges()[(2, 4)][1][1]
    assert abs(passing - part.nodes()[3][1]) > HEIGHT / 2


def test_boxes_do_not_overlap_and_fill_a_page_like_a_screen():
    boxes = [(100 + 7 * n % 400, 20 + 13 * n % 90) for n in range(200)]
    corners = pack(boxes)
    rooms = [(x, y, x + width, y + height) for (x, y), (width, height) in zip(corners, boxes, strict=True)]
    for place, (x, y, right, bottom) in enumerate(rooms):
        for u, v, far, low in rooms[:place]:
            assert right <= u or far <= x or bottom <= v or low <= y
    assert 1 < max(room[2] for room in rooms) / max(room[3] for room in rooms) < 2.5
    assert pack([]) == []


def test_the_drawing_is_the_same_each_time():
    needs = near(200, 10)
    assert draw(needs) == draw(needs)
