"""Use cases between the API and the store."""

from types import SimpleNamespace

import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import UnknownNode
from gorchestrator.domain.records import NodeRow, TaskRow
from gorchestrator.service import Service
from gorchestrator.store.logs import Piece


class Reader:
    """Has one task, of the nodes 0 named 1, 1 named 0, and 2 named c. The log of a node is its number."""

    names = ("1", "0", "c")

    def task(self, task):
        return TaskRow(task, "g", size=3, accepted_at=1.0)

    def node(self, task, node):
        number = node if isinstance(node, int) else dict(zip(self.names, range(3), strict=True)).get(node)
        known = number is not None and number < len(self.names)
        return (NodeRow(task, number, state=State.SUCCESS, attempt=1), "{}") if known else None

    def log(self, task, node, attempt, offset, limit):
        return Piece(str(node).encode(), 1, more=False)


@pytest.fixture
def service():
    return Service(store=SimpleNamespace(reader=Reader()), scheduler=None, ownership=None, fleet=None, open_runs=1)


@pytest.mark.parametrize(("asked", "node"), [("1", 0), ("0", 1), ("c", 2), ("2", 2)])
def test_a_node_is_known_by_its_name_and_else_by_its_number(service, asked, node):
    assert service.log("0" * 32, asked, 0).data == str(node).encode()


@pytest.mark.parametrize("asked", ["3", "d", "-1", "1.0", ""])
def test_other_nodes_are_unknown(service, asked):
    with pytest.raises(UnknownNode):
        service.log("0" * 32, asked, 0)
