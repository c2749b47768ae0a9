"""The SVG of ``gorch dot`` in a browser: light and dark, and no text leaves its node."""

import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.graph import Graph, Node
from gorchestrator.dot import svg
from gorchestrator.web.layout.drawing import draw

NAMES = ["a", "deploy-the-database-of-server-17", "W" * 40, "i" * 200, "漢" * 30, "{|}<>&\"'\\ ]]>", "😀" * 20]
TEXTS = """() => [...document.querySelectorAll("text")].map((text) => {
    const [own, box] = [text, text.closest(".node").querySelector(".box")].map((each) => each.getBoundingClientRect());
    const inside = own.left >= box.left && own.right <= box.right && own.top >= box.top && own.bottom <= box.bottom;
    return [text.textContent, inside];
})"""
FILL = "(of) => getComputedStyle(document.querySelector(of)).fill"


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    nodes = [Node(place, name, "shell", name, needs=(0,) if place else ()) for place, name in enumerate(NAMES)]
    states = [list(State)[place] for place in range(len(nodes))]
    path = tmp_path_factory.mktemp("pictures") / "graph.svg"
    layout = draw([node.needs for node in nodes])
    path.write_text("\n".join(svg(Graph("mine", tuple(nodes)), layout, states)), "utf-8")
    return path


def test_it_is_drawn_light_and_dark_with_all_texts_in_their_nodes(picture, shots):
    seen = {}
    for way, page in shots.views(picture.as_uri()):
        texts = page.evaluate(TEXTS)
        assert len(texts) == 2 * len(NAMES)
        assert [text for text, inside in texts if not inside] == []
        seen[way] = [page.evaluate(FILL, of) for of in (".page", ".box", ".name", ".running path")]
    assert seen["light"] == ["rgb(246, 247, 249)", "rgb(255, 255, 255)", "rgb(27, 33, 48)", "rgb(29, 95, 208)"]
    assert seen["dark"] == ["rgb(16, 20, 27)", "rgb(23, 28, 37)", "rgb(228, 232, 239)", "rgb(116, 168, 255)"]
