"""What nodes print, from their processes to whoever reads it: over the API and with ``gorch logs``."""

import json
import subprocess
import threading
from contextlib import ExitStack

import pytest

import failures_support
from events_support import streaming
from failures_support import SUCCESS
from support import PATIENCE, ROOT, clean_environment, command, wait_until

LIMIT = 200_000  # bytes of a log that are kept
NUMBERS = b"".join(b"%07d\n" % number for number in range(100_000))
GAP = b"\n[... 600000 bytes left out from byte 100000 on ...]\n"
BINARY = bytes(range(256)) * 30 + b"\xff\xfe \xc3( \xed\xa0\x80 \x00\r\n\x1b[31m no end of line"


@pytest.fixture(scope="module")
def house(tmp_path_factory, certs, unmeasured):
    with failures_support.house(tmp_path_factory.mktemp("house"), certs, GORCH_LOG_LIMIT=str(LIMIT)) as found:
        yield found


@pytest.fixture
def start(house, tmp_path):
    """Start ``gorch logs`` with its output in files, and end it if the test does not."""
    with ExitStack() as stack:

        def begin(*arguments):
            out, err = (stack.enter_context((tmp_path / name).open("wb")) for name in ("out", "err"))
            env = clean_environment(GORCH_URL=house.orchestrator.url)
            process = subprocess.Popen(command("logs", *arguments), env=env, cwd=ROOT, stdout=out, stderr=err)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield begin


def logs(house, *arguments):
    """Return what ``gorch logs`` writes to standard output."""
    env = clean_environment(GORCH_URL=house.orchestrator.url)
    return subprocess.run(
        command("logs", *arguments), env=env, cwd=ROOT, stdout=subprocess.PIPE, timeout=PATIENCE, check=True
    ).stdout


def printing(house, data, name="prints"):
    """Return a node that prints bytes."""
    path = house.folder / name
    path.write_bytes(data)
    return {"name": name, "engine": "shell", "artifact": "/bin/cat", "args": [str(path)]}


def read(house, task, name, **query):
    """Return an answer of the log's route."""
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    answer = house.api.call("GET", f"/v1/tasks/{task}/nodes/{name}/log?{asked}")
    assert answer.status == 200
    return answer


def read_all(house, task, name, **query):
    """Return a whole log, read as its answers say."""
    offset, parts = 0, []
    while True:
        answer = read(house, task, name, offset=offset, **query)
        parts.append(answer.data)
        offset = int(answer.headers["gorch-log-next"])
        if answer.headers["gorch-log-complete"] == "true":
            return b"".join(parts)
        assert answer.data


def flaky(house, name, *, retry, gates=("first", "second")):
    """Return a node whose first attempt fails and whose second one does not; each waits for a gate."""
    lines = ["echo attempt $GORCH_ATTEMPT begins"]
    for number, gate in enumerate(gates, 1):
        path = house.gate(f"{name}-{gate}")
        lines.append(f"[ $GORCH_ATTEMPT = {number} ] && while [ ! -e {path} ]; do sleep 0.02; done")
    lines += ["echo attempt $GORCH_ATTEMPT ends", "[ $GORCH_ATTEMPT = 2 ]"]
    return {"name": name, "engine": "shell", "artifact": "\n".join(["#!/bin/sh", *lines, ""]), "retry": retry}


def said(number):
    return b"attempt %d begins\nattempt %d ends\n" % (number, number)


def test_bytes_come_as_they_were_printed(house):
    task = house.submit(printing(house, BINARY, "binary"))
    house.end(task)
    assert read_all(house, task, "binary") == BINARY
    assert logs(house, task, "binary") == BINARY
    assert logs(house, task) == BINARY
    assert json.loads(logs(house, task, "binary", "--json"))["log"] == BINARY.decode("utf-8", "replace")
    for offset in (255, 256, len(BINARY) - 1, len(BINARY), len(BINARY) + 1):
        assert read(house, task, "binary", offset=offset).data == BINARY[offset:]


def test_a_log_is_read_from_any_offset_while_it_grows(house):
    task = house.submit(house.node("talks", "echo 0123456789", gate="talks"))
    wait_until(lambda: b"started" in house.log(task, "talks"), what="what was printed so far")
    for offset, data in ((0, b"0123456789\nstarted\n"), (4, b"456789\nstarted\n"), (19, b""), (10**6, b"")):
        answer = read(house, task, "talks", offset=offset)
        assert answer.data == data
        assert answer.headers["gorch-log-next"] == str(offset + len(data))
        assert answer.headers["gorch-log-complete"] == "false"
        assert answer.headers["gorch-log-attempt"] == "1"
    house.open("talks")
    house.end(task)
    answer = read(house, task, "talks", offset=19)
    assert (answer.data, answer.headers["gorch-log-complete"]) == (b"ended\n", "true")


def test_who_follows_goes_on_with_the_next_attempt(house, start, tmp_path):
    task = house.submit(flaky(house, "goes-on", retry={"limit": 1, "delay": 0.05}))
    process = start("-f", task, "goes-on")
    out = tmp_path / "out"
    wait_until(lambda: out.read_bytes() == b"attempt 1 begins\n", what="what it prints is there as it is printed")
    house.open("goes-on-first")
    wait_until(lambda: out.read_bytes() == said(1) + b"attempt 2 begins\n", what="it goes on with the next one")
    assert process.poll() is None
    house.open("goes-on-second")
    assert process.wait(PATIENCE) == 0
    assert out.read_bytes() == said(1) + said(2)
    assert (tmp_path / "err").read_text() == "── attempt 2\n"
    assert json.loads(logs(house, task, "goes-on", "-f", "--json"))["attempt"] == 2


def test_who_follows_a_node_that_never_prints_is_not_kept_waiting(house):
    failing = {"name": "fails", "engine": "shell", "artifact": "false"}
    task = house.submit({"name": "nil"}, failing, house.node("never", needs=["fails"]))
    assert [logs(house, task, name, "-f") for name in ("nil", "fails", "never")] == [b"", b"", b""]
    assert read(house, task, "never").headers["gorch-log-attempt"] == "0"


def test_who_follows_one_attempt_need_not_wait_for_the_next_one(house, start, tmp_path):
    task = house.submit(flaky(house, "stays", retry={"limit": 1, "delay": 300}))
    one = start("-f", task, "stays", "--attempt", "1")
    house.open("stays-first")
    assert one.wait(PATIENCE) == 0
    assert (tmp_path / "out").read_bytes() == said(1)
    house.shows(task, "stays", reason_code="backoff")
    assert read(house, task, "stays", attempt=1).headers["gorch-log-complete"] == "true"
    assert read(house, task, "stays").headers["gorch-log-complete"] == "false"
    every = start("-f", task, "stays")
    wait_until(lambda: (tmp_path / "out").read_bytes() == said(1), what="what there is")
    assert every.poll() is None
    house.api.cancel(task)
    assert every.wait(PATIENCE) == 0
    assert (tmp_path / "out").read_bytes() == said(1)


def test_the_last_lines(house, start, tmp_path):
    task = house.submit(
        house.node("lines", "printf 'one\\ntwo\\nthree\\n'", gate="lines"), printing(house, NUMBERS, "many")
    )
    wait_until(lambda: b"started" in house.log(task, "lines"), what="what was printed so far")
    for lines, data in ((0, b""), (1, b"started\n"), (2, b"three\nstarted\n"), (100, b"one\ntwo\nthree\nstarted\n")):
        answer = read(house, task, "lines", tail=lines)
        assert answer.data == data
        assert int(answer.headers["gorch-log-offset"]) == 22 - len(data)
        assert (answer.headers["gorch-log-next"], answer.headers["gorch-log-complete"]) == ("22", "false")
    out = tmp_path / "out"
    following = start("-f", "--tail", "1", task, "lines")
    wait_until(lambda: out.read_bytes() == b"started\n", what="the last line")
    house.open("lines")
    assert following.wait(PATIENCE) == 0
    assert out.read_bytes() == b"started\nended\n"
    house.end(task)
    assert read(house, task, "lines", tail=1).headers["gorch-log-complete"] == "true"
    assert read(house, task, "many", tail=10_000).data == NUMBERS[-80_000:]
    assert logs(house, task, "many", "--tail", "3") == NUMBERS[-24:]


def test_a_line_that_is_drawn_again_and_again_is_one_line(house):
    bar = b"begin\n" + b"".join(b"\r%d %%" % percent for percent in range(0, 101, 10)) + b"\n\n"
    task = house.submit(printing(house, bar, "bar"))
    house.end(task)
    for lines in range(5):
        wanted = b"\n".join(bar.split(b"\n")[-1 - lines :]) if lines else b""
        answer = read(house, task, "bar", tail=lines)
        assert answer.data == wanted
        assert answer.headers["gorch-log-offset"] == str(len(bar) - len(wanted))


def test_what_is_not_there_cannot_be_followed(house):
    task = house.submit({"name": "nil"})
    path = "/v1/tasks/{}/nodes/{}/log?follow=true"
    house.api.call("GET", path.format(task, "nobody")).is_problem(404, "node-unknown")
    house.api.call("GET", path.format("0" * 32, "nil")).is_problem(404, "task-unknown")


def test_lines_go_no_further_back_than_to_what_was_left_out(house):
    task = house.submit(printing(house, b"x" * 300_000 + b"\n" + b"y" * 300_000, "wide"))
    house.end(task)
    answer = read(house, task, "wide", tail=1)
    assert answer.data == b"y" * 100_000
    assert answer.headers["gorch-log-offset"] == "500001"


def test_a_range_of_a_log(house):
    task = house.submit(printing(house, b"0123456789", "digits"))
    house.end(task)
    path = f"/v1/tasks/{task}/nodes/digits/log"
    for wanted, data, said in (
        ("bytes=0-3", b"0123", "bytes 0-3/*"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
    ):
        answer = house.api.call("GET", path, headers={"Range": wanted})
        assert (answer.status, answer.data, answer.headers["content-range"]) == (206, data, said)
    assert house.api.call("GET", path, headers={"Range": "bytes=10-"}).status == 416
    house.api.call("GET", path, headers={"Range": "bytes=5-4"}).is_problem(422, "bad-query")
    assert read(house, task, "digits", offset=2, limit=3).data == b"234"


def test_an_answer_is_held_back_until_there_is_more(house):
    task = house.submit(house.node("later", gate="later"))
    wait_until(lambda: b"started" in house.log(task, "later"), what="what was printed so far")
    path = f"/v1/tasks/{task}/nodes/later/log?offset=8"
    answer = house.api.call("GET", path, wait=0.3)
    assert (answer.data, answer.headers["preference-applied"]) == (b"", "wait=0.3")
    threading.Timer(0.3, house.open, ("later",)).start()
    assert house.api.call("GET", path, wait=25).data == b"ended\n"


def test_a_log_is_sent_as_it_comes(house):
    task = house.submit(house.node("streams", gate="streams"))
    with streaming(house.api, f"/v1/tasks/{task}/nodes/streams/log?follow=true") as answer:
        assert answer.readline() == b"started\n"
        house.open("streams")
        assert answer.read() == b"ended\n"  # to the end of the stream


def test_logs_of_all_attempts_outlive_a_restart_and_the_executors_disk(house):
    node = flaky(house, "outlives", retry={"limit": 2, "delay": 0.01})
    task = house.submit(node, printing(house, NUMBERS, "long"))
    house.open("outlives-first")
    house.open("outlives-second")
    ended = house.end(task)
    assert {name: (node["state"], node["attempt"]) for name, node in ended.items()} == {
        "outlives": (SUCCESS, 2),
        "long": (SUCCESS, 1),
    }
    house.orchestrator.stop()
    house.executor.server.kill()
    house.executor.data.rename(house.executor.data.with_name("gone"))
    house.orchestrator.start()
    try:
        assert [read_all(house, task, "outlives", attempt=number) for number in (1, 2, 3)] == [said(1), said(2), b""]
        assert [logs(house, task, "outlives", "--attempt", str(number)) for number in (1, 2)] == [said(1), said(2)]
        assert read_all(house, task, "outlives") == logs(house, task, "outlives") == said(2)
        assert read_all(house, task, "long") == NUMBERS[:100_000] + GAP + NUMBERS[-100_000:]
        assert logs(house, task, "long") == read_all(house, task, "long")
    finally:
        house.restart_executor()


@pytest.mark.parametrize(
    ("point", "counts"), [("result-arrived", (1,)), ("before-commit", (3, 4, 5)), ("after-commit", (2, 3, 4, 5, 6))]
)
def test_a_long_log_is_stored_once_whenever_its_owner_is_killed(house, point, counts):
    """Commits are of the attempt, of head and tail in pieces, of the result, and of beats in between."""
    for count in counts:
        house.arm(point, count)
        task = house.submit(printing(house, NUMBERS, f"{point}-{count}"))
        house.died()
        node = house.end(task)[f"{point}-{count}"]
        assert (node["state"], node["attempt"]) == (SUCCESS, 1)
        assert read_all(house, task, node["name"]) == NUMBERS[:100_000] + GAP + NUMBERS[-100_000:]
