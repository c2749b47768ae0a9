"""How attempts go to an executor and come back, and what a node says of one that cannot be used.

The executors are small servers of this test with real TLS; the real one has tests of its own.
"""

from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from api_support import nodes, states
from gorchestrator import certificates
from peers_support import FakeExecutor, Peer, problem, server_context
from support import wait_until

SUCCESS, FAILURE, CANCELED = 3, 4, 11
TORUN, RUNNING = 1, 2
LOG_LIMIT = 200_000


@pytest.fixture(scope="module")
def peers(certs, tmp_path_factory):
    """Return the servers that the orchestrator knows as executors: a good one, and some that are not."""
    other = tmp_path_factory.mktemp("other")
    certificates.write(other)
    ours = server_context(certs, ca=certs / "ca.pem")
    half = FakeExecutor(ours)
    half.before = lambda method, *_: problem(500, "internal", "it has a fault") if method == "PUT" else None
    found = SimpleNamespace(
        good=FakeExecutor(ours),
        narrow=FakeExecutor(ours, capacity=1),
        late=FakeExecutor(ours),
        half=half,
        alien=Peer(server_context(other), lambda *_: (200, {})),
        strict=Peer(server_context(certs, ca=other / "ca.pem"), lambda *_: (200, {})),
        plain=Peer(None, lambda *_: (200, {})),
        chatty=Peer(ours, lambda *_: (200, b"<h1>It works!</h1>")),
        foreign=Peer(ours, lambda *_: (200, {"status": "success"})),
        closed=Peer(ours, lambda *_: (403, b"<h1>Forbidden</h1>")),
    )
    with ExitStack() as stack:
        for name, peer in vars(found).items():
            stack.callback(peer.stop)
            if name != "late":
                peer.start()
        yield found


@pytest.fixture(scope="module")
def orchestrator(start, peers):
    executors = ",".join(f"{name}={peer.url}" for name, peer in vars(peers).items())
    return start(executors, GORCH_LOG_LIMIT=str(LOG_LIMIT))


def shell(name, target="good", **fields):
    return {"name": name, "engine": "shell", "artifact": "true", "target": target, **fields}


def attempt_of(task, node=0, number=1):
    return f"{task}.{node}.{number}"


def test_when_an_executor_comes_up_its_nodes_go_on(api, peers):
    task = api.submit({"nodes": [shell("a", "late"), {"name": "b", "needs": ["a"]}]})
    assert api.wait_for_node(task, "a", reason_code="executor_unreachable")["state"] == TORUN
    peers.late.start()
    found = nodes(api.end(task))
    assert (found["a"]["state"], found["a"]["executor"], found["a"]["reason"]) == (SUCCESS, "late", None)
    assert found["b"]["state"] == SUCCESS


# -- an executor that can be used


def test_a_node_is_sent_once_with_all_that_it_needs_and_acknowledged(api, peers):
    task = api.submit(
        {
            "nodes": [
                shell("make", output={"colour": ""}),
                shell(
                    "use",
                    artifact="paint",
                    args=["--colour=get_attribute make:colour", "get_attribute m.ke:colour", "plain"],
                    env={"MODE": "fast"},
                    needs=["make"],
                ),
            ]
        }
    )
    found = nodes(api.end(task))
    assert found["make"]["output"] == {"colour": "colour of make"}
    assert (found["use"]["state"], found["use"]["executor"], found["use"]["attempt"]) == (SUCCESS, "good", 1)
    assert found["use"]["exit_code"] == 0
    ((attempt, body),) = peers.good.puts("use")
    assert attempt == attempt_of(task, 1)
    assert body == {
        "fence": 1,
        "instance": peers.good.instance,
        "name": "use",
        "engine": "shell",
        "artifact": "paint",
        "args": ["--colour=colour of make", "colour of make", "plain"],
        "target": "good",
        "env": {"MODE": "fast"},
        "output": {},
        "timeout": None,
        "options": {},
    }
    wait_until(lambda: {attempt_of(task, 0), attempt_of(task, 1)} <= set(peers.good.acknowledged), what="the receipts")
    assert not [path for path, _ in peers.good.calls("GET") if task in path]  # a short node costs one round trip


def test_what_the_executor_says_of_a_failure_is_shown(api, peers):
    peers.good.held.add("fails")
    task = api.submit({"nodes": [shell("fails"), {"name": "next", "needs": ["fails"]}]})
    api.wait_for_node(task, "fails", state=RUNNING, executor="good")
    wait_until(lambda: attempt_of(task) in peers.good.jobs)
    peers.good.finish(attempt_of(task), state=4, exit_code=7, reason="exit status 7: no paint", reason_code="exit")
    found = nodes(api.end(task))
    assert (found["fails"]["state"], found["fails"]["exit_code"], found["fails"]["reason_code"]) == (FAILURE, 7, "exit")
    assert found["fails"]["reason"] == "exit status 7: no paint"
    assert found["fails"]["start_date"] == "2026-11-01T12:00:01.000000Z"  # by the executor's clock
    assert found["next"]["reason"] == "predecessor 'fails' ended in failure"


@pytest.mark.parametrize(
    ("status", "slug", "code"),
    [
        (422, "engine-unknown", "engine"),
        (422, "attempt-differs", "internal"),
        (422, "field-not-honoured", "argument"),
        (422, "invalid", "executor_refused"),
        (413, "too-large", "executor_refused"),
        (410, "job-gone", "lost"),
    ],
)
def test_what_an_executor_refuses_for_good_fails_the_node(api, peers, status, slug, code):
    peers.good.before = lambda method, *_: problem(status, slug, f"because of {slug}") if method == "PUT" else None
    try:
        node = nodes(api.end(api.submit({"nodes": [shell("a")]})))["a"]
    finally:
        peers.good.before = lambda *_: None
    assert (node["state"], node["reason_code"]) == (FAILURE, code)
    unknown = "; death not verified" if code == "lost" else ""
    assert node["reason"] == f"executor 'good' at {peers.good.url}: because of {slug}{unknown}"


def test_an_executor_that_is_full_is_asked_again(api, peers):
    answers = [problem(503, "queue-full", "all places are taken")]
    peers.good.before = lambda method, *_: answers.pop() if method == "PUT" and answers else None
    task = api.submit({"nodes": [shell("patient")]})
    node = api.wait_for_node(task, "patient", reason_code="executor_full")
    assert (node["state"], node["attempt"]) == (TORUN, 1)
    assert "all places are taken" in node["reason"]
    node = nodes(api.end(task))["patient"]
    assert (node["state"], node["attempt"], node["reason"]) == (SUCCESS, 1, None)
    assert [attempt for attempt, _ in peers.good.puts("patient")] == [attempt_of(task)] * 2


def test_no_more_is_in_flight_than_the_executor_can_take(api, peers):
    """Of an executor that runs one at a time, one more waits there, and the others here."""
    names = [f"narrow{number}" for number in range(5)]
    peers.narrow.held.update(names)
    task = api.submit({"nodes": [shell(name, "narrow") for name in names]})
    for name in names[2:]:
        assert "waits for a slot on executor 'narrow'" in api.wait_for_node(task, name, reason_code="slot")["reason"]
    for last in range(2, 6):
        wait_until(lambda last=last: len(peers.narrow.jobs) >= min(last, 5), what=f"{last} attempts are sent")
        assert sorted(peers.narrow.jobs) == [attempt_of(task, number) for number in range(min(last, 5))]
        peers.narrow.finish(attempt_of(task, last - 2))
    peers.narrow.finish(attempt_of(task, 4))
    assert set(states(api.end(task)).values()) == {SUCCESS}


def test_a_cancel_kills_what_runs_and_verifies_its_death(api, peers):
    peers.good.held.add("long")
    task = api.submit({"nodes": [shell("long"), shell("behind", needs=["long"])]})
    wait_until(lambda: attempt_of(task) in peers.good.jobs)
    answer = api.cancel(task)
    assert states(answer.json) == {"long": CANCELED, "behind": CANCELED}
    assert nodes(answer.json)["long"]["reason"] == "canceled by 127.0.0.1"
    assert [path for path, _ in peers.good.calls("DELETE") if task in path] == [f"/v1/tasks/{attempt_of(task)}?fence=1"]


def test_while_a_process_cannot_be_killed_the_node_is_not_final_and_says_so(api, peers):
    peers.good.held.add("stubborn")
    task = api.submit({"nodes": [shell("stubborn")]})
    wait_until(lambda: attempt_of(task) in peers.good.jobs)
    alive = peers.good.jobs[attempt_of(task)] | {"log": "", "log_from": 0, "log_next": 0, "log_size": 0}
    peers.good.before = lambda method, *_: (202, alive | {"survivors": [4711]}) if method == "DELETE" else None
    assert api.call("DELETE", f"/v1/tasks/{task}").status == 202
    node = wait_until(
        lambda: [node for node in api.task(task)["nodes"] if "cannot be killed: 4711" in (node["reason"] or "")]
    )[0]
    assert (node["state"], node["reason_code"]) == (RUNNING, "canceling")
    assert api.task(task)["state"] == RUNNING
    peers.good.before = lambda *_: None
    peers.good.finish(attempt_of(task), state=11, reason_code="canceled", exit_code=None)
    assert api.end(task)["state"] == CANCELED


# -- logs


def test_the_log_of_a_node_can_be_read_from_any_offset(api, peers):
    text = bytes(range(256)) * 20
    peers.good.held.add("talks")
    task = api.submit({"nodes": [shell("talks")]})
    wait_until(lambda: attempt_of(task) in peers.good.jobs)
    peers.good.finish(attempt_of(task), log=text)
    api.end(task)
    for offset in (0, 1, 4096, len(text), len(text) + 5):
        answer = wait_until(lambda offset=offset: read_log(api, task, "talks", offset), what="the log is complete")
        assert answer.data == text[offset:]
        assert int(answer.headers["gorch-log-next"]) == max(offset, len(text))
    assert api.call("GET", f"/v1/tasks/{task}/nodes/0/log?attempt=2").data == b""


def test_of_a_log_beyond_the_limit_head_and_tail_are_kept(api, peers):
    text = b"".join(b"%07d\n" % number for number in range(125_000))  # a million bytes
    peers.good.held.add("babbles")
    task = api.submit({"nodes": [shell("babbles")]})
    wait_until(lambda: attempt_of(task) in peers.good.jobs)
    peers.good.finish(attempt_of(task), log=text)
    api.end(task)
    answer = wait_until(lambda: read_log(api, task, "babbles"), what="the log is complete")
    half, left_out = LOG_LIMIT // 2, len(text) - LOG_LIMIT
    marker = b"\n[... %d bytes left out from byte %d on ...]\n" % (left_out, half)
    tail = text[-half:]
    assert answer.data == text[:half] + marker + tail
    assert answer.headers["gorch-log-gap"] == f"offset={half}, length={left_out}"
    assert answer.headers["gorch-log-next"] == str(len(text))
    for within in (half, half + 1, half + left_out - 1):
        answer = read_log(api, task, "babbles", within)
        assert answer.data == marker + tail
        assert answer.headers["gorch-log-gap"] == f"offset={half}, length={left_out}"
    for behind in (half + left_out, len(text) - 1, len(text), len(text) + 10**12):
        answer = read_log(api, task, "babbles", behind)
        assert answer.data == text[behind:]
        assert "gorch-log-gap" not in answer.headers
    assert read_log(api, task, "babbles", half - 3).data == text[half - 3 : half] + marker + tail


def read_log(api, task, name, offset=0):
    answer = api.call("GET", f"/v1/tasks/{task}/nodes/{name}/log?offset={offset}")
    return answer if answer.headers["gorch-log-complete"] == "true" else None


# -- an executor that goes, or is another one


def test_a_connection_that_breaks_under_an_attempt_starts_nothing_again(api, peers):
    peers.good.held.add("steady")
    task = api.submit({"nodes": [shell("steady")]})
    wait_until(lambda: any(task in path for path, _ in peers.good.calls("GET")), what="the attempt is followed")
    peers.good.away = True
    peers.good.hang_up()
    node = wait_until(lambda: (node := api.task(task)["nodes"][0])["reason"] and node, what="it tells of the loss")
    assert (node["state"], node["attempt"]) == (RUNNING, 1)
    assert "not reachable since" in node["reason"]
    peers.good.away = False
    node = api.wait_for_node(task, "steady", reason=None)
    assert (node["state"], node["attempt"]) == (RUNNING, 1)
    peers.good.finish(attempt_of(task))
    assert api.end(task)["state"] == SUCCESS
    assert {attempt for attempt, _ in peers.good.puts("steady")} == {attempt_of(task)}


def test_an_executor_that_was_replaced_before_it_heard_of_an_attempt_gets_it_anew(api, peers):
    """What never began does not count."""
    assert api.end(api.submit({"nodes": [shell("before")]}))["state"] == SUCCESS
    peers.good.replace()
    task = api.submit({"nodes": [shell("anew")]})
    node = nodes(api.end(task))["anew"]
    assert (node["state"], node["attempt"]) == (SUCCESS, 1)
    sent = peers.good.puts("anew")
    assert {attempt for attempt, _ in sent} == {attempt_of(task)}
    assert sent[-1][1]["instance"] == peers.good.instance


def test_an_attempt_on_an_executor_that_was_replaced_is_lost_and_not_started_again(api, peers):
    peers.good.held.add("orphan")
    task = api.submit({"nodes": [shell("orphan")]})
    wait_until(lambda: any(task in path for path, _ in peers.good.calls("GET")), what="the attempt is followed")
    sent = peers.good.puts("orphan")
    peers.good.replace()
    peers.good.hang_up()
    node = nodes(api.end(task))["orphan"]
    assert (node["state"], node["reason_code"]) == (FAILURE, "lost")
    assert attempt_of(task, 0, node["attempt"]) == sent[-1][0]
    assert peers.good.puts("orphan") == sent


# -- servers that are no executor for us


STRANGERS = {
    "alien": ["shows a certificate that is not accepted here", "unable to get local issuer", "tls_ca"],
    "strict": ["does not accept the certificate", "orchestrator.pem", "tls_refused"],
    "plain": ["does not speak TLS", "check the URL"],
    "chatty": ["not as an executor does", "not JSON", "check the URL"],
    "foreign": ["not as an executor does", "not the fields of an executor", "check the URL"],
    "closed": ["not as an executor does", "status 403", "check the URL"],
}


@pytest.fixture(scope="module")
def among_strangers(api):
    """Return a task with a node for each server that is no executor for us; in the end it can be canceled."""
    task = api.submit({"nodes": [shell(target, target) for target in STRANGERS]})
    yield task
    assert set(states(api.cancel(task).json).values()) == {CANCELED}


@pytest.mark.parametrize("target", STRANGERS)
def test_a_server_that_is_no_executor_for_us_gives_a_reason_to_act_on(api, peers, among_strangers, target):
    node = api.wait_for_node(among_strangers, target, reason_code="executor_refused")
    assert (node["state"], node["attempt"]) == (TORUN, 0)
    assert node["reason"].startswith(f"executor {target!r} at {getattr(peers, target).url} ")
    for words in STRANGERS[target]:
        assert words in node["reason"]
    shown = {executor["name"]: executor for executor in api.call("GET", "/v1/ping").json["executors"]}
    assert shown[target]["reachable"] is False
    assert shown[target]["reason"] in node["reason"]
    assert shown["good"]["reachable"] is True
    assert shown["good"]["engines"] == peers.good.engines


def test_an_executor_that_answers_pings_but_no_attempts_is_not_hammered_and_the_node_says_why(api, peers):
    task = api.submit({"nodes": [shell("a", "half")]})
    node = api.wait_for_node(task, "a", reason_code="executor_refused")
    assert "it has a fault" in node["reason"]
    times = wait_until(lambda: len(found := peers.half.times("PUT")) >= 4 and found, what="it is tried again")
    assert times[3] - times[0] > 0.25  # and not as fast as the network carries it
    peers.half.before = lambda *_: None
    assert nodes(api.end(task))["a"]["state"] == SUCCESS
    assert {attempt for attempt, _ in peers.half.puts("a")} == {attempt_of(task)}
