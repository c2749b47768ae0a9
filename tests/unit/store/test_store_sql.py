import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import insert, select

from gorchestrator.store import tables
from gorchestrator.store.sql import Bulk, fetch_json, inserting, json_rows, upserting

VALUES: list[object] = [None, 0, -1, 2**63 - 1, 1700000000123456, "", "ü\0\n\"'\\", "\U0001f600", "[1]"]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE nodes (task, node, state, reason, reason_code, attempt, executor, started_at,"
                           " stopped_at, exit_code, output, PRIMARY KEY (task, node))")  # fmt: skip
        yield connection


def rows(count: int, value: object) -> list[tuple[object, ...]]:
    return [("t", number, 1, value, None, 0, None, None, None, None, "{}") for number in range(count)]


def stored(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM nodes ORDER BY node").fetchall()


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 63, 64, 255, 256, 341, 1000])
def test_any_number_of_rows_is_written_in_few_steps(connection: sqlite3.Connection, count: int) -> None:
    steps: list[str] = []
    connection.set_trace_callback(steps.append)
    inserting(tables.nodes).run(connection, rows(count, "a"))
    connection.set_trace_callback(None)
    assert stored(connection) == rows(count, "a")
    assert len(steps) <= 12 + count // 256


def test_rows_take_the_place_of_those_with_the_same_key(connection: sqlite3.Connection) -> None:
    inserting(tables.nodes).run(connection, rows(20, "a"))
    upserting(tables.nodes).run(connection, rows(30, "b"))
    assert stored(connection) == rows(30, "b")
    with pytest.raises(sqlite3.IntegrityError):
        inserting(tables.nodes).run(connection, rows(1, "c"))


@pytest.mark.parametrize("value", VALUES)
def test_values_come_back_as_they_were_through_json(connection: sqlite3.Connection, value: object) -> None:
    inserting(tables.nodes).run(connection, rows(3, value))
    query = json_rows(select(tables.nodes.c.node, tables.nodes.c.reason).order_by(tables.nodes.c.node.desc()))
    assert fetch_json(connection, query, {}) == [[2, value], [1, value], [0, value]]


def test_an_insertion_of_some_columns_is_no_bulk() -> None:
    with pytest.raises(ValueError, match="whole rows"):
        Bulk(insert(tables.nodes).values(task="x", node=1))
