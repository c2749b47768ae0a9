"""One part of a graph, drawn: the places of its nodes and the points of its edges, and the box that holds them.

Layers are columns, with a channel between two of them in which there are no nodes. An edge crosses a channel straight
and a column level, at a row of its own, so it meets no node. A long edge without such rows is led around: through the
channel behind its start to a lane above or below all nodes, along it, and through the channel before its end.
"""

from collections.abc import Iterable, Mapping, Sequence

from gorchestrator.web.layout.placement import PASSING, Edge, Piece, apart

WIDTH, HEIGHT = 160, 36  # of a node, in pixels
COLUMN = 240  # from one layer to the next
ROW = 56
_LANE = 10  # from one lane to the next
_LANES = 10
_LANE_GAP = 20  # between the outermost node and the first lane
_IN_CHANNEL = (
    8  # of the first lane's edges, from their node; the next ones are farther, so that bends can be told apart
)
_STEP_IN_CHANNEL = 3


class Part:
    """A part of the graph. All places are relative to its left upper corner."""

    def __init__(self, layer: Mapping[int, int], pieces: Iterable[Piece], edges: Sequence[Edge]) -> None:
        """``layer`` has the nodes of this part; ``edges`` are all between them."""
        self._layer = layer
        self._rows: dict[int, float] = {}
        self._passing: dict[Edge, list[float]] = {}
        self._below = 0.0  # the row at which the next piece may begin
        for piece in sorted(pieces, key=lambda piece: -len(piece.rows)):
            self._add(piece)
        self._separate()
        self._around = [edge for edge in edges if edge not in self._passing and self._span(edge) > 1]
        lanes = max((self._lane(edge) for edge in self._around), default=0)
        self._margin = _LANE_GAP + _LANE * (lanes - 1) if lanes else 0
        self._top = min(self._all_rows())
        self._edges = edges
        self.width = COLUMN * max(layer.values()) + WIDTH
        self.height = round(ROW * (max(self._all_rows()) - self._top)) + HEIGHT + 2 * self._margin

    def nodes(self) -> dict[int, tuple[int, int]]:
        """Return the middle of each node."""
        return {node: (self._left(self._layer[node]) + WIDTH // 2, self._y(row)) for node, row in self._rows.items()}

    def edges(self) -> dict[Edge, list[tuple[int, int]]]:
        """Return the points of each edge, from the border of its first node to that of its second one."""
        around = set(self._around)
        return {edge: self._led_around(edge) if edge in around else self._through(edge) for edge in self._edges}

    # -- rows

    def _add(self, piece: Piece) -> None:
        taken = [*piece.rows.values(), *(row for along in piece.passing.values() for row in along)]
        offset = self._below - min(taken)
        self._below = max(taken) + offset + 1
        self._rows.update({node: row + offset for node, row in piece.rows.items()})
        self._passing.update({edge: [row + offset for row in along] for edge, along in piece.passing.items()})

    def _separate(self) -> None:
        """Push apart what is too close: whatever placed it, no two nodes overlap and no edge runs through one."""
        columns: dict[int, list[tuple[float, float, int, Edge | None]]] = {}
        for node, row in self._rows.items():
            columns.setdefault(self._layer[node], []).append((row, 1.0, node, None))
        for passing, along in self._passing.items():
            first = self._layer[passing[0]] + 1
            for place, row in enumerate(along):
                columns.setdefault(first + place, []).append((row, PASSING, place, passing))
        for column in columns.values():
            least, size_before = float("-inf"), 0.0
            for row, size, place, edge in sorted(column, key=lambda item: item[0]):
                least, size_before = max(row, least + apart(size_before, size)), size
                if edge is None:
                    self._rows[place] = least
                else:
                    self._passing[edge][place] = least

    def _all_rows(self) -> Iterable[float]:
        yield from self._rows.values()
        for along in self._passing.values():
            yield from along

    # -- places

    def _left(self, layer: int) -> int:
        return COLUMN * layer

    def _y(self, row: float) -> int:
        return round(ROW * (row - self._top)) + HEIGHT // 2 + self._margin

    def _ends(self, edge: Edge) -> tuple[tuple[int, int], tuple[int, int]]:
        start, end = edge
        right = self._left(self._layer[start]) + WIDTH
        return (right, self._y(self._rows[start])), (self._left(self._layer[end]), self._y(self._rows[end]))

    # -- edges

    def _span(self, edge: Edge) -> int:
        return self._layer[edge[1]] - self._layer[edge[0]]

    def _through(self, edge: Edge) -> list[tuple[int, int]]:
        start, end = self._ends(edge)
        points = [start]
        for layer, row in enumerate(self._passing.get(edge, ()), self._layer[edge[0]] + 1):
            left, y = self._left(layer), self._y(row)
            if len(points) > 1 and points[-1][1] == y:
                points.pop()  # it goes on straight
            else:
                points.append((left, y))
            points.append((left + WIDTH, y))
        points.append(end)
        return points

    def _lane(self, edge: Edge) -> int:
        """Return the lane of an edge that is led around, from 1 on: the longer, the farther outside."""
        return min(self._span(edge).bit_length() - 1, _LANES)

    def _led_around(self, edge: Edge) -> list[tuple[int, int]]:
        start, end = self._ends(edge)
        lane = self._lane(edge)
        out = _LANE * (lane - 1)
        bottom = self.height - self._margin + _LANE_GAP + out
        y = self._margin - _LANE_GAP - out if start[1] + end[1] < self.height else bottom
        aside = _IN_CHANNEL + _STEP_IN_CHANNEL * lane
        behind, before = start[0] + aside, end[0] - aside
        return [start, (behind, start[1]), (behind, y), (before, y), (before, end[1]), end]
