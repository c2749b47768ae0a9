"""One trace a graph, one span for it, each node and each attempt, whichever processes run it and which of them die."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failures_support import FAILURE, SUCCESS, House, house
from gorchestrator.common.traceparent import span_of, trace_of
from monitoring_support import metrics
from support import run_gorch, wait_until
from tracing_support import OtlpReceiver, receiving

CLIENT = 3  # the kind of a span of what is asked of another service
TELL = '[ "$GORCH_ATTEMPT" -ge 2 ] || exit 7\necho "context=$TRACEPARENT"'


@pytest.fixture(scope="module")
def receiver() -> Iterator[OtlpReceiver]:
    with receiving() as found:
        yield found
    spans = [(span.trace, span.id) for span in found.spans]  # all that was sent until the services had stopped
    assert len(spans) == len(set(spans))


@pytest.fixture(scope="module")
def home(
    tmp_path_factory: pytest.TempPathFactory, certs: Path, receiver: OtlpReceiver, unmeasured: None
) -> Iterator[House]:
    """Return both services, with a receiver of traces beside them."""
    headers = tmp_path_factory.mktemp("otlp") / "headers"
    headers.write_text("# of the receiver\nAuthorization: Bearer quite-secret\n")
    settings = {"GORCH_OTLP_ENDPOINT": receiver.url, "GORCH_OTLP_HEADERS": str(headers)}
    with house(tmp_path_factory.mktemp("house"), certs, **settings) as found:
        yield found


def test_a_graph_is_one_trace(home: House, receiver: OtlpReceiver) -> None:
    flaky = home.node("flaky", TELL, output={"context": ""}, retry={"limit": 2, "delay": 0.01})
    wrong = home.node("wrong", "echo bad luck", status=3, allow_failure=True)
    after = {"name": "after", "needs": ["flaky", "wrong"]}
    task = home.api.submit({"name": "traced", "labels": {"team": "red"}, "nodes": [flaky, wrong, after]})
    nodes = home.end(task)
    found = receiver.whole(task)
    assert {span.id for span in receiver.of(task)} == {
        span_of(task, *place) for place in [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 1)]
    }
    root = found["traced"]
    assert (root.parent, root.failed, root.about["gorch.state"], root.links) == ("", False, "success", ())
    assert root.about["gorch.label.team"] == "red"
    assert (found["flaky"].parent, found["wrong"].parent, found["after"].parent) == (root.id,) * 3
    tries = {span.about["gorch.attempt"]: span for span in receiver.of(task) if span.parent == found["flaky"].id}
    assert [(tries[n].failed, tries[n].kind, tries[n].about["process.exit.code"]) for n in (1, 2)] == [
        (True, CLIENT, 7),
        (False, CLIENT, 0),
    ]
    assert nodes["flaky"]["output"]["context"] == f"00-{trace_of(task)}-{tries[2].id}-01"
    assert found["wrong"].failed
    assert "bad luck" in found["wrong"].about["gorch.reason"]
    assert {"gorch.engine": "shell", "gorch.executor": "executor", "gorch.node.name": "wrong"}.items() <= found[
        "wrong"
    ].about.items()
    assert all(root.begun <= span.begun <= span.over <= root.over for span in receiver.of(task))
    assert found["flaky"].begun == tries[1].begun
    assert found["flaky"].over >= tries[2].over
    assert receiver.resource["service.name"] == "gorchestrator"
    assert receiver.headers[-1]["authorization"] == "Bearer quite-secret"
    assert receiver.headers[-1]["path"] == "/v1/traces"


def test_many_nodes_come_once(home: House, receiver: OtlpReceiver) -> None:
    before = metrics(home)["gorch_spans_sent_total",]
    task = home.submit(*({"name": f"n{number}"} for number in range(1500)))
    home.end(task)
    assert len(receiver.whole(task)) == 1501
    wait_until(lambda: metrics(home)["gorch_spans_sent_total",] == before + 1501)


def test_a_worker_that_is_killed_takes_no_span_along(home: House, receiver: OtlpReceiver) -> None:
    first = home.node("first")
    second = home.node("second", gate="takeover", needs=["first"])
    task = home.submit(first, second, {"name": "third", "needs": ["second"]})
    home.has_run(task, "second")
    home.owner(task).kill()
    wait_until(lambda: home.orchestrator.events("run_adopted"), what="another worker goes on")
    home.open("takeover")
    assert home.end(task)["third"]["state"] == SUCCESS
    receiver.whole(task)
    spans = [(), (0,), (0, 1), (1,), (1, 1), (2,)]
    assert sorted(span.id for span in receiver.of(task)) == sorted(span_of(task, *place) for place in spans)
    (found,) = [span for span in receiver.of(task) if span.id == span_of(task, 1, 1)]
    assert found.over - found.begun > 0


def test_what_a_receiver_does_not_take_waits_and_survives_all_workers(home: House, receiver: OtlpReceiver) -> None:
    receiver.status = 503
    task = home.submit(home.node(), home.node("wrong", status=1))
    assert home.end(task)["wrong"]["state"] == FAILURE
    wait_until(lambda: receiver.refused, what="a try in vain")
    ready = len(home.orchestrator.events("ready"))
    for worker in home.orchestrator.workers():
        worker.kill()
    wait_until(lambda: len(home.orchestrator.events("ready")) >= ready + 2, what="new workers")
    assert home.orchestrator.events("traces_wait")[0]["reason"] == "it answers 503 Service Unavailable"
    home.in_contact()
    assert receiver.of(task) == []
    receiver.status = 200
    receiver.whole(task)
    spans = [(), (0,), (0, 1), (1,), (1, 1)]
    assert sorted(span.id for span in receiver.of(task)) == sorted(span_of(task, *place) for place in spans)
    (root,) = [span for span in receiver.of(task) if not span.parent]
    assert (root.failed, root.about["gorch.state"]) == (True, "failure")
    assert "quite-secret" not in home.orchestrator.log


def test_the_service_stops_at_once_and_sends_the_rest_when_it_is_back(home: House, receiver: OtlpReceiver) -> None:
    receiver.status = 503
    task = home.submit({"name": "nothing"})
    home.end(task)
    begun = time.monotonic()
    home.orchestrator.stop()
    took = time.monotonic() - begun
    receiver.status = 200
    home.orchestrator.start()
    assert "nothing" in receiver.whole(task)
    assert took < 10


def test_links_lead_to_who_submitted_and_to_what_is_repeated(home: House, receiver: OtlpReceiver) -> None:
    trace, span = 32 * "c", 16 * "d"
    body = {"name": "linked", "nodes": [home.node(status=1)]}
    env = {"GORCH_URL": home.orchestrator.url, "TRACEPARENT": f"00-{trace}-{span}-01"}
    task = run_gorch("submit", "-", env=env, stdin=json.dumps(body)).stdout.strip()
    home.end(task)
    assert receiver.whole(task)["linked"].links == ((trace, span),)
    again = home.api.call("POST", f"/v1/tasks/{task}/rerun", {}).json["id"]
    home.end(again)
    assert receiver.whole(again)["linked"].links == ((trace_of(task), span_of(task)),)
