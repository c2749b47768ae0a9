"""Graphs are drawn by child processes in bounded time, in a simple way if need be, and the hub goes on meanwhile."""

import json
import logging
import time
import zlib

import gevent
import pytest

from gorchestrator.domain.errors import NoLayout
from gorchestrator.web.layout.drawer import Drawer
from layout_support import check, near
from store_support import eventually
from support import PATIENCE

PROMPT = PATIENCE / 10  # seconds after which a child that does nothing is ended
CHILD = """
import sys, time, os
if "simple" in sys.argv:
    {simple}
else:
    {first}
"""
WRITES = "sys.stdout.write('drawn')"


@pytest.fixture
def drawer_of(tmp_path, monkeypatch):
    """Return what makes drawers with a child of this code."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = []

    def make(first, simple=WRITES):
        (tmp_path / "odd_child.py").write_text(CHILD.format(first=first, simple=simple))
        made.append(Drawer(child="odd_child", timeout=PROMPT))
        return made[-1]

    yield make
    for drawer in made:
        drawer.stop()


@pytest.fixture
def drawer():
    found = Drawer(timeout=PATIENCE)
    yield found
    found.stop()


def graph_of(needs):
    return json.dumps({"size": len(needs), "needs": needs})


def test_a_graph_comes_back_drawn(drawer):
    needs = near(50, 5)
    check(needs, json.loads(zlib.decompress(drawer.draw(graph_of(needs)))))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("time.sleep(600)", "by SIGKILL"),
        ("os.abort()", "by SIGABRT"),
        ("sys.exit(3)", "with status 3"),
        ("raise ValueError('\\x1b[31mno')", "with status 1: ValueError: \\x1b[31mno"),
    ],
)
def test_what_fails_is_drawn_in_a_simple_way_and_told(drawer_of, caplog, fault, told):
    with caplog.at_level(logging.WARNING):
        assert drawer_of(fault).draw("{}") == b"drawn"
    assert [record.getMessage() for record in caplog.records] == [f"a graph was not drawn: its process ended {told}"]
    assert (caplog.records[0].event, caplog.records[0].simple) == ("layout_failed", False)


def test_what_fails_in_both_ways_is_an_error(drawer_of, caplog):
    with pytest.raises(NoLayout):
        drawer_of("sys.exit(3)", "sys.exit(4)").draw("{}")
    assert [record.simple for record in caplog.records] == [False, True]


def test_no_process_at_all_is_an_error_and_no_traceback(drawer, monkeypatch, capfd, caplog):
    monkeypatch.setattr("sys.executable", "/nowhere")
    with pytest.raises(NoLayout):
        drawer.draw("{}")
    assert "/nowhere" in caplog.text
    assert capfd.readouterr().err == ""


def test_no_more_than_two_are_drawn_at_once(drawer_of, tmp_path):
    (tmp_path / "now").mkdir()
    own, there = f"'{tmp_path}/now/' + str(os.getpid())", f"str(len(os.listdir('{tmp_path}/now')))"
    drawer = drawer_of(f"os.mkdir({own}); time.sleep(0.2); sys.stdout.write({there}); os.rmdir({own})")
    asked = [gevent.spawn(drawer.draw, "{}") for _ in range(6)]
    gevent.joinall(asked, timeout=PATIENCE, raise_error=True)
    assert max(int(greenlet.value) for greenlet in asked) <= 2


def test_a_stop_waits_for_no_drawing(drawer_of, tmp_path):
    drawer = drawer_of(f"open('{tmp_path}/begun', 'w').close(); time.sleep(600)", "time.sleep(600)")
    asked = [gevent.spawn(drawer.draw, "{}") for _ in range(4)]
    eventually((tmp_path / "begun").exists)
    begun = time.monotonic()
    drawer.stop()
    gevent.joinall(asked, timeout=PATIENCE)
    assert {type(greenlet.exception) for greenlet in asked} == {NoLayout}
    assert time.monotonic() - begun < PROMPT


def test_the_hub_goes_on_while_a_large_graph_is_drawn(drawer):
    graph = graph_of(near(10_000, 100))
    begun = time.monotonic()
    drawn = gevent.spawn(drawer.draw, graph)
    longest, last = 0.0, begun
    while not drawn.ready():
        gevent.sleep(0.001)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    assert len(json.loads(zlib.decompress(drawn.get()))["nodes"]) == 10_000
    assert longest < (last - begun) / 2
