"""What the client says when no orchestrator is there, or something that is none. The rest is tested on the real one."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gorchestrator.remote import LogPiece, Refused, Remote, Reset, Unreachable, patience


class Handler(BaseHTTPRequestHandler):
    """Answers what the server is told to."""

    def do_GET(self):
        status, headers, body = self.server.answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def other():
    """Return a server of somebody else, whose answer can be set."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def remote(other):
    found = Remote(other.url, timeout=5)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("answer", "part"),
    [
        ((200, {}, b"<html>"), "something else answers there (status 200, no JSON)"),
        ((200, {}, b"[]"), "something else answers there (JSON, but no object)"),
        ((404, {}, b"<html>"), "something else answers there (status 404)"),
        ((500, {}, b"{}"), "something else answers there (status 500)"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "something else answers there (status 302)"),
        ((200, {"Content-Length": "100"}, b"{"), "is the URL right"),
    ],
)
def test_something_else_answers(other, remote, answer, part):
    other.answer = answer
    with pytest.raises(Unreachable) as caught:
        remote.ping()
    assert part in str(caught.value)
    assert str(caught.value).startswith(f"no orchestrator at {other.url}: ")


@pytest.mark.parametrize(
    "headers", [{}, {"Gorch-Log-Next": "x", "Gorch-Log-Complete": "true", "Gorch-Log-Attempt": "1"}]
)
def test_something_else_answers_for_a_log(other, remote, headers):
    other.answer = (200, headers, b"hello")
    with pytest.raises(Unreachable, match=r"something else answers there \(no log\)"):
        remote.log("x", "a")


def test_a_piece_of_a_log(other, remote):
    headers = {"Gorch-Log-Next": "104", "Gorch-Log-Complete": "true", "Gorch-Log-Attempt": "2"}
    other.answer = (200, headers, b"\xff")
    assert remote.log("x", "a") == LogPiece(b"\xff", 104, True, 2, None)
    other.answer = (200, headers | {"Gorch-Log-Complete": "false", "Gorch-Log-Gap": "offset=4, length=96"}, b"")
    assert remote.log("x", "a") == LogPiece(b"", 104, False, 2, (4, 96))


def test_attempts_are_read_to_the_last_page(remote, monkeypatch):
    pages = {0: ([{"attempt": 1}, {"attempt": 2}], 2), 2: ([{"attempt": 3}], None)}

    def answer(method, path, params):
        assert (method, path) == ("GET", "/v1/tasks/x/nodes/a%2Fb/attempts")
        found, following = pages[params["after"]]
        return {"attempts": found, "next": following}

    monkeypatch.setattr(remote._connection, "json", answer)
    assert remote.attempts("x", "a/b") == [{"attempt": 1}, {"attempt": 2}, {"attempt": 3}]


def test_a_problem_is_refused_with_its_faults(other, remote):
    problem = {
        "type": "urn:gorchestrator:problem:invalid-gorch",
        "status": 422,
        "title": "No",
        "errors": [{"pointer": "/nodes/0", "detail": "bad"}, "nonsense"],
    }
    other.answer = (422, {}, json.dumps(problem).encode())
    with pytest.raises(Refused, match=r"^No$") as caught:
        remote.task("x")
    assert caught.value.status == 422
    assert caught.value.type == "invalid-gorch"
    assert caught.value.errors == [{"pointer": "/nodes/0", "detail": "bad"}]


CONTEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Full(Handler):
    """Takes what is posted after it has refused twice."""

    def do_POST(self):
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.contexts.append(self.headers["traceparent"])
        taken = len(self.server.posted) > 2
        problem = {"type": "urn:gorchestrator:problem:too-many-runs", "title": "Full"}
        after = {"Retry-After": self.server.retry_after} if self.server.retry_after else {}
        body = {"id": "1"} if taken else problem
        self.server.answer = (202 if taken else 503, after, json.dumps(body).encode())
        self.do_GET()


@pytest.fixture
def full(other):
    other.RequestHandlerClass = Full
    other.posted, other.contexts, other.retry_after = [], [], "0"
    return other


def test_a_full_one_is_asked_again(full, remote):
    assert remote.submit("{}", patience=60) == "1"
    assert full.posted == [b"{}"] * 3


@pytest.mark.parametrize(("context", "sent"), [(CONTEXT, CONTEXT), ("nonsense", None), (None, None)])
def test_a_trace_context_is_sent_if_it_is_one(full, remote, context, sent):
    assert remote.submit("{}", patience=60, context=context) == "1"
    assert full.contexts == [sent] * 3


@pytest.mark.parametrize(
    ("patience", "after", "seconds"), [(0, "2", 2.0), (60, "61", 61.0), (60, "", None), (60, "Fri, 31 Dec 1999", None)]
)
def test_a_full_one_is_asked_for_no_longer_than_it_may_be(full, remote, patience, after, seconds):
    full.retry_after = after
    with pytest.raises(Refused, match=r"^Full$") as caught:
        remote.submit("{}", patience=patience)
    assert (caught.value.type, caught.value.retry_after) == ("too-many-runs", seconds)
    assert len(full.posted) == 1


def test_nobody_listens():
    with pytest.raises(Unreachable, match=r"Connection refused; is it running \(`gorch serve`\)"):
        Remote("http://127.0.0.1:9").tasks()


def test_a_slow_one(other):
    held = threading.Event()
    other.answer = (200, {}, b"{}")
    other.RequestHandlerClass = type("Slow", (Handler,), {"do_GET": lambda self: held.wait(5)})
    remote = Remote(other.url, timeout=0.1)
    with pytest.raises(Unreachable, match="it did not answer in time"):
        remote.ping()
    held.set()
    remote.close()


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://x", "http://", "http://x:99999", "http://[::1"])
def test_a_url_that_is_none(url):
    with pytest.raises(Unreachable, match="that is no URL"):
        Remote(url)


def test_the_environments_proxies_and_bundles_are_left_alone(other, remote, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    other.answer = (200, {}, b'{"status": "success"}')
    assert remote.ping() == {"status": "success"}


class Script(Handler):
    """Gives one answer after the other."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.answer = self.server.answers.pop(0)
        super().do_GET()


@pytest.fixture
def script(other, monkeypatch):
    """Return what is asked of a service, and take what it answers."""
    monkeypatch.setattr(patience, "_PAUSE", 0.01)
    other.RequestHandlerClass = Script
    other.asked, other.answers = [], []
    return other


def stream(*blocks):
    return 200, {"Content-Type": "text/event-stream"}, "".join(f"{block}\n\n" for block in blocks).encode()


def frame(seq, **more):
    return f"id: {seq}\nevent: task_final\ndata: {json.dumps({'seq': seq, **more}, ensure_ascii=False)}"


BEGUN = stream("retry: 1000\nid: 7", ": beat")
STOPPING = (
    503,
    {"Retry-After": "1"},
    json.dumps({"type": "urn:gorchestrator:problem:store-unavailable", "title": "Stops"}).encode(),
)
UNKNOWN = 404, {}, json.dumps({"type": "urn:gorchestrator:problem:task-unknown", "title": "No such task"}).encode()


def test_who_is_cut_off_before_the_first_event_misses_none(script, remote):
    script.answers = [BEGUN, stream("retry: 1000\nid: 7", frame(8))]
    assert next(remote.events())["seq"] == 8
    assert script.asked == ["/v1/events", "/v1/events?after=7"]


def test_a_text_may_have_what_ends_lines_elsewhere(script, remote):
    script.answers = [stream("retry: 1000", frame(8, reason="a\u2028b\x85c"))]
    assert next(remote.events("x")) == {"kind": "task_final", "seq": 8, "reason": "a\u2028b\x85c"}


def test_a_service_that_is_about_to_stop_is_asked_again(script, remote):
    script.answers = [BEGUN, STOPPING, STOPPING, stream(frame(8))]
    assert next(remote.events())["seq"] == 8
    running, done = ((200, {}, json.dumps({"state": state}).encode()) for state in (2, 3))
    script.answers = [running, STOPPING, done]
    assert remote.wait("x") == {"state": 3}


def test_what_is_refused_for_good_is_not_asked_again(script, remote):
    script.answers = [BEGUN, UNKNOWN]
    with pytest.raises(Refused, match="No such task"):
        next(remote.events())
    script.answers = [STOPPING]
    with pytest.raises(Refused, match="Stops"):
        next(remote.events())  # it has never answered anything else


def test_who_watches_begins_anew_where_a_backup_was_restored(script, remote):
    before, after = ((200, {}, json.dumps({"state": state, "seq": 9}).encode()) for state in (2, 3))
    reset = stream('id: 5\nevent: reset\ndata: {"after":5}')
    script.answers = [before, reset, after]
    assert [found["state"] for found in remote.follow("x")] == [2, 3]
    script.answers = [reset]
    with pytest.raises(Reset) as caught:
        next(remote.events("x", after=9))
    assert caught.value.after == 5


def test_something_else_answers_for_events(script, remote):
    script.answers = [(200, {"Content-Type": "text/html"}, b"<html>\n\n")]
    with pytest.raises(Unreachable, match=r"something else answers there \(no events\)"):
        next(remote.events())
