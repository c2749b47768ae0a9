"""Outputs of a large answer are taken without holding up the others."""

import json

import gevent
import pytest

from executor.drivers.http.answer import LIMIT, Answer, NoOutput

LISTS = b'{"deep": {"here": "found"}, "rest": [' + b"[]," * 340_000 + b"[]]}"


def answer(body: bytes) -> Answer:
    return Answer(200, "OK", None, body, whole=True, shown=b"")


def test_others_run_while_a_large_document_is_parsed() -> None:
    assert len(LISTS) < LIMIT
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            gevent.sleep(0.001)
            turns += 1

    counter = gevent.spawn(count)
    try:
        assert answer(LISTS).outputs({"x": "/deep/here"}, str) == {"status": "200", "x": "found"}
    finally:
        counter.kill()
    assert turns >= 15


def test_large_and_small_documents_say_the_same() -> None:
    small = {"a": [1, -2.5e3, None, True, "\u00e4\n"], "b/c": {"~": {"": {}}}}
    text = json.dumps(small)
    pointers = {"a": "/a", "b": "/b~1c", "n": "/a/1", "e": "/b~1c/~0/"}
    assert answer(text.encode()).outputs(pointers, str) == answer(text.ljust(LIMIT).encode()).outputs(pointers, str)


def test_outputs_are_hidden_and_not_larger_than_they_may_be() -> None:
    assert answer(b'{"a": "secret"}').outputs({"x": "/a"}, lambda text: text.replace("secret", "*"))["x"] == "*"
    big = json.dumps(["x" * 1000] * 1000).encode()
    with pytest.raises(NoOutput, match="output 'x' is larger than 65536 bytes"):
        answer(big).outputs({"x": ""}, str)
    parts = json.dumps(["x" * 65_000] * 16).encode()
    with pytest.raises(NoOutput, match="together larger"):
        answer(parts).outputs({f"x{number}": f"/{number % 16}" for number in range(17)}, str)
