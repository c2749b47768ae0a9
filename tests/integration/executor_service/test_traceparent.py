"""The trace context of an attempt becomes a variable of its process, and none of what the attempt is."""

from typing import Any

import pytest

from executor_support import Executor, body, new_id, script

SOUND = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01"
TELL = script('echo "seen=${TRACEPARENT-nothing}"')


def put(executor: Executor, job_id: str, context: str, **fields: Any) -> dict[str, Any]:
    return executor.put_in(context, job_id, body(TELL, output={"seen": ""}, **fields))


@pytest.mark.parametrize(("context", "seen"), [(SOUND, SOUND), ("", "nothing"), ("00-no-context-01", "nothing")])
def test_the_process_gets_the_context_if_it_is_one(executor: Executor, context: str, seen: str) -> None:
    assert put(executor, new_id(), context)["output"] == {"seen": seen}


def test_what_the_node_says_itself_comes_first(executor: Executor) -> None:
    assert put(executor, new_id(), SOUND, env={"TRACEPARENT": "mine"})["output"] == {"seen": "mine"}


def test_the_same_attempt_may_come_again_in_another_context(executor: Executor) -> None:
    job_id = new_id()
    for context in (SOUND, OTHER, ""):
        assert put(executor, job_id, context)["output"] == {"seen": SOUND}
