"""How a node of a task is named."""

from types import SimpleNamespace

import pytest

from gorchestrator.common.states import State
from gorchestrator.domain.errors import UnknownNode
from gorchestrator.domain.records import NodeRow, TaskRow
from gorchestrator.service import Tasks


class Reader:
    """Has one task, of the nodes 0 named 1, 1 named 0, and 2 named c."""

    names = ("1", "0", "c")

    def task(self, task):
        return TaskRow(task, "g", size=3, accepted_at=1.0)

    def node(self, task, node):
        number = node if isinstance(node, int) else dict(zip(self.names, range(3), strict=True)).get(node)
        known = number is not None and number < len(self.names)
        return (NodeRow(task, number, state=State.SUCCESS, attempt=1), "{}") if known else None


@pytest.fixture
def tasks():
    return Tasks(SimpleNamespace(reader=Reader()))


@pytest.mark.parametrize(("asked", "node"), [("1", 0), ("0", 1), ("c", 2), ("2", 2)])
def test_a_node_is_known_by_its_name_and_else_by_its_number(tasks, asked, node):
    row, _ = tasks.node("0" * 32, asked)
    assert row.node == node


@pytest.mark.parametrize("asked", ["3", "d", "-1", "1.0", ""])
def test_other_nodes_are_unknown(tasks, asked):
    with pytest.raises(UnknownNode):
        tasks.node("0" * 32, asked)
