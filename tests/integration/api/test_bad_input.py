"""Whatever a client sends, it gets a problem document that says what is wrong, and the service goes on."""

import json
import socket
import time
from contextlib import closing
from itertools import pairwise

import pytest

from api_support import nodes, states
from support import PATIENCE

TASKS = "/v1/tasks"
MIB = 2**20
UNKNOWN = "0" * 32


@pytest.fixture(autouse=True)
def the_service_goes_on(api, orchestrator):
    """After each test the workers are those of before, answer, run graphs, and have logged no fault of their own."""
    before = orchestrator.workers()
    yield
    assert orchestrator.workers() == before
    assert api.call("GET", "/v1/ping").json["status"] == "success"
    assert api.end(api.submit({"nodes": [{"name": "a"}]}))["state"] == 3
    assert orchestrator.events("request_failed") == []


def gorch(**changes):
    return {"name": "g", "nodes": [{"name": "a"}], **changes}


def node(**changes):
    return gorch(nodes=[{"name": "a", **changes}])


# -- what is no JSON


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("{nodes: []}", "line 1 column 2"),
        ('{"nodes": [}', "line 1 column 12"),
        ('{"nodes": []} {}', "Extra data"),
        ('{"nodes": [], "nodes": []}', "'nodes' occurs twice"),
        ('{"nodes": [{"name": "a", "args": [], "args": []}]}', "'args' occurs twice"),
        ('{"digraph": [NaN], "nodes": [{"name": "a"}]}', "NaN is not JSON"),
        ('{"digraph": [-Infinity], "nodes": [{"name": "a"}]}', "-Infinity is not JSON"),
        ('{"digraph": [1e999], "nodes": [{"name": "a"}]}', "too large"),
        ('{"digraph": [1%s], "nodes": [{"name": "a"}]}' % ("0" * 5000), "has 5001 digits"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"nodes": [' + "[" * 100_000 + "]" * 100_000 + "]}", "nested too deeply"),
        (b'{"name": "\xff"}', "not UTF-8: invalid start byte at byte 10"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
    ],
    ids=lambda value: str(value[:16]),
)
@pytest.mark.parametrize("path", [TASKS, "/v1/validate"])
def test_a_body_that_is_no_json_is_told_where(api, path, body, says):
    answer = api.call("POST", path, body)
    answer.is_problem(400, "bad-json")
    assert says in answer.json["detail"]


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_another_media_type_is_told_what_to_send(api, media):
    answer = api.call("POST", TASKS, json.dumps(gorch()), headers={"Content-Type": media})
    answer.is_problem(415, "unsupported-media-type")
    assert "Content-Type: application/json" in answer.json["detail"]


def test_a_media_type_may_have_parameters(api):
    answer = api.call("POST", TASKS, gorch(), headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status == 202


# -- what is too large


def test_70_mib_are_refused_with_the_limit_in_the_text(api):
    answer = api.call("POST", TASKS, b" " * (70 * MIB))
    answer.is_problem(413, "too-large")
    assert str(16 * MIB) in answer.json["detail"]
    assert str(70 * MIB) in answer.json["detail"]
    assert answer.json["limit"] == 16 * MIB


def test_70_mib_in_chunks_of_unknown_number_are_refused(api):
    answer = api.call("POST", TASKS, (b" " * MIB for _ in range(70)))
    answer.is_problem(413, "too-large")
    assert str(16 * MIB) in answer.json["detail"]


def test_a_large_body_within_the_limit_is_read_to_its_end_also_in_chunks(api):
    text = json.dumps(node(args=["x" * 100_000] * 100)).encode()
    pieces = [text[start : start + MIB] for start in range(0, len(text), MIB)]
    assert len(pieces) == 10
    for body in (text, iter(pieces)):
        answer = api.call("POST", "/v1/validate", body)
        assert (answer.status, answer.json["nodes"]) == (200, 1)


def test_a_dense_matrix_of_a_thousand_nodes_is_validated_within_a_second(api, orchestrator):
    size = 1000
    cells = [int(column > row) for row in range(size) for column in range(size)]
    text = json.dumps({"digraph": cells, "nodes": [{"id": number, "name": f"n{number}"} for number in range(size)]})
    before = orchestrator.spent()
    answer = api.call("POST", "/v1/validate", text)
    found = answer.json
    assert (found["valid"], found["nodes"], found["edges"]) == (True, size, size * (size - 1) // 2)
    assert found["critical_path"]["length"] == size
    assert orchestrator.spent() - before < 5  # far above what it takes, for a busy machine; n*n*n would take minutes


def test_more_nodes_than_the_setting_allows_are_refused(api):
    answer = api.call("POST", TASKS, {"nodes": [{"name": str(number)} for number in range(20_001)]})
    answer.is_problem(422, "invalid-gorch")
    assert answer.faults == {"/nodes": "has 20001 nodes; at most 20000 are taken (setting max_nodes)"}


# -- what is JSON, but no gorch


@pytest.mark.parametrize(
    ("document", "pointer", "says"),
    [
        (None, "", "must be an object"),
        ([], "", "must be an object"),
        ("gorch", "", "must be an object"),
        ({}, "/nodes", "at least one node"),
        ({"nodes": []}, "/nodes", "at least one node"),
        ({"nodes": {"a": 1}}, "/nodes", "must be a list"),
        ({"nodes": [5]}, "/nodes/0", "Invalid input"),
        ({"nodes": [{}]}, "/nodes/0/name", "Missing data"),
        (gorch(labls={}), "/labls", "is 'labels' meant?"),
        (node(artefact="x"), "/nodes/0/artefact", "is 'artifact' meant?"),
        (gorch(deadline=0), "/deadline", "greater than"),
        (gorch(deadline="soon"), "/deadline", "number"),
        (node(retry=3), "/nodes/0/retry", "Invalid input type"),
        (node(foreach=[]), "/nodes/0/foreach", "not supported yet"),
        (node(id=0) | {"digraph": []}, "/digraph", "1 nodes need 1 x 1 = 1 cells"),
        (node(id=0) | {"digraph": [0, 0]}, "/digraph", "has 2 cells"),
        (gorch(digraph={"0": 1}), "/digraph", "list of integers"),
        (node(id=0) | {"digraph": [0.5]}, "/digraph/0", "integer"),
        (node(id=0) | {"digraph": [True]}, "/digraph/0", "integer"),
        (node(id=0) | {"digraph": [None]}, "/digraph/0", "integer"),
        (node(id=0) | {"digraph": [2**63]}, "/digraph/0", "64 bits"),
        (node(id=0) | {"digraph": [1]}, "/digraph/0", "from node 0 to itself"),
        (gorch(digraph=[0]), "/nodes/0/id", "is missing"),
        (node(id=-1), "/nodes/0/id", "is -1"),
        (node(id=1), "/nodes/0/id", "is 1"),
        (node(id=10**18), "/nodes/0/id", "is 1000000000000000000"),
        (node(id="0"), "/nodes/0/id", "integer"),
        (node(id=True), "/nodes/0/id", "integer"),
        (node(id=0.0), "/nodes/0/id", "integer"),
        (node(name=""), "/nodes/0/name", "must not be empty"),
        (node(name=5), "/nodes/0/name", "string"),
        (node(name="a" * 10_000), "/nodes/0/name", "has a length of 10000; at most 255"),
        (node(name="\x1b[2J"), "/nodes/0/name", "control characters"),
        (node(name="a\nb"), "/nodes/0/name", "control characters"),
        (node(name="\ud800"), "/nodes/0/name", "control characters"),
        (gorch(name="g" * 10_000), "/name", "at most 255"),
        (gorch(name="\u202eg"), "/name", "control characters"),
        (node(needs=["b"]), "/nodes/0/needs/0", "no node named 'b'"),
        (node(needs=[7]), "/nodes/0/needs/0", "name or the id"),
        (node(needs=[["a"]]), "/nodes/0/needs/0", "name or the id"),
        (node(needs=["a"]), "/nodes/0/needs/0", "itself"),
        (node(args="x"), "/nodes/0/args", "list"),
        (node(args=["nul\0"]), "/nodes/0/args/0", "NUL"),
        (node(args=["get_attribute a"]), "/nodes/0/args/0", "NODE:OUTPUT"),
        (node(args=["get_attribute b:x"]), "/nodes/0/args/0", "no ancestor"),
        (node(args=["get_attribute a:x"]), "/nodes/0/args/0", "not an ancestor"),
        (node(args=["get_attribute (:x"]), "/nodes/0/args/0", "no regular expression"),
        (node(env={"A=B": "1"}), "/nodes/0/env/A=B", "without '='"),
        (node(env={"A": 1}), "/nodes/0/env/A", "must be a text"),
        (node(artifact="run.sh"), "/nodes/0/engine", "is missing"),
        (gorch(labels={"a": 1}), "/labels/a", "string"),
    ],
)
def test_a_document_that_is_no_gorch_is_refused(api, document, pointer, says):
    body = json.dumps(document)
    for path in (TASKS, "/v1/validate"):
        answer = api.call("POST", path, body)
        answer.is_problem(422, "invalid-gorch")
        assert list(answer.faults) == [pointer]
        assert says in answer.faults[pointer]


def test_a_name_that_two_nodes_have_is_refused_at_the_second(api):
    answer = api.call("POST", TASKS, {"nodes": [{"name": "a"}, {"name": "b"}, {"name": "a"}]})
    assert answer.faults == {"/nodes/2/name": "is 'a', which /nodes/0 is already named"}


@pytest.mark.parametrize("with_matrix", [True, False])
def test_a_cycle_is_named_in_the_order_of_its_edges(api, with_matrix):
    listed = [{"id": 0, "name": "a"}, {"id": 1, "name": "b"}, {"id": 2, "name": "c"}, {"id": 3, "name": "d"}]
    if with_matrix:
        document = {"digraph": [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0], "nodes": listed}
    else:
        needs = [[], ["a", "d"], ["b"], ["c"]]
        document = {"nodes": [item | {"needs": wanted} for item, wanted in zip(listed, needs, strict=True)]}
    (pointer, detail), *others = api.call("POST", TASKS, document).faults.items()
    assert (pointer, others) == ("/digraph" if with_matrix else "/nodes", [])
    ring = detail.rpartition(": ")[2].split(" -> ")
    assert ring[0] == ring[-1]
    assert set(pairwise(ring)) == {("b", "c"), ("c", "d"), ("d", "b")}


def test_all_faults_are_told_in_one_answer(api):
    answer = api.call(
        "POST",
        TASKS,
        {
            "name": "x" * 300,
            "colour": "blue",
            "digraph": [0, 1, 0, "one", 0, 1, 0, 0, 1],
            "nodes": [
                {"id": 0, "name": "a", "engine": "nil", "args": [5], "output": {"x": ""}},
                {"id": 1, "name": "a", "art": "x"},
                {"id": 1, "name": "c", "args": ["x=get_attribute nobody:out"]},
            ],
        },
    )
    answer.is_problem(422, "invalid-gorch")
    assert set(answer.faults) == {
        "/name",
        "/colour",
        "/digraph/3",
        "/digraph/8",
        "/nodes/0/args/0",
        "/nodes/1/name",
        "/nodes/1/art",
        "/nodes/2/id",
        "/nodes/2/args/0",
    }
    assert f"{len(answer.faults)} faults" in answer.json["detail"]


def test_nothing_of_a_refused_gorch_is_stored(api):
    before = api.call("GET", TASKS).json
    api.call("POST", TASKS, gorch(nodes=[{"name": "a"}, {"name": "a"}])).is_problem(422, "invalid-gorch")
    assert api.call("GET", TASKS).json == before


def test_a_pattern_that_would_freeze_backtracking_engines_is_matched_in_time(api):
    document = {
        "nodes": [
            {"name": "a" * 200 + "!"},
            {"name": "b", "needs": [0], "args": ["get_attribute (a+)+$:out"]},
        ]
    }
    started = time.monotonic()
    assert list(api.call("POST", TASKS, document).faults) == ["/nodes/1/args/0"]
    assert time.monotonic() - started < 25


# -- what is not there


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("task", [UNKNOWN, "x", "0" * 3000, "%00", "..%5c", "\u0663".encode().hex()])
def test_an_unknown_task_is_not_found(api, method, task):
    api.call(method, f"{TASKS}/{task}").is_problem(404, "task-unknown")


def test_the_log_of_an_unknown_task_or_node_is_not_found(api):
    task = api.submit(node())
    api.call("GET", f"{TASKS}/{UNKNOWN}/nodes/a/log").is_problem(404, "task-unknown")
    for name in ("b", "1", "99999999999999999999999999", "%2e%2e", "a/b"):
        api.call("GET", f"{TASKS}/{task}/nodes/{name}/log").is_problem(404, "node-unknown")


@pytest.mark.parametrize("path", ["/tasks", "/v1", "/v2/tasks", "/v1/tasks/a/b", "/static/x"])
def test_an_unknown_path_is_not_found(api, path):
    api.call("GET", path).is_problem(404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", TASKS, {"GET", "POST"}),
        ("DELETE", TASKS, {"GET", "POST"}),
        ("PATCH", f"{TASKS}/{UNKNOWN}", {"GET", "DELETE"}),
        ("POST", f"{TASKS}/{UNKNOWN}", {"GET", "DELETE"}),
        ("POST", f"{TASKS}/{UNKNOWN}/nodes/a/log", {"GET"}),
        ("GET", "/v1/validate", {"POST"}),
        ("POST", "/v1/ping", {"GET"}),
        ("BREW", "/v1/ping", {"GET"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(api, method, path, allowed):
    answer = api.call(method, path, {} if method in {"PUT", "POST", "PATCH"} else None)
    answer.is_problem(405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) - {"HEAD", "OPTIONS"} == allowed


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", "", "9" * 1000])
def test_a_faulty_limit_of_the_list_is_refused(api, limit):
    api.call("GET", f"{TASKS}?limit={limit}").is_problem(422, "bad-query")


@pytest.mark.parametrize("given", ["", "yes", "1", "TRUE"])
def test_only_true_and_false_say_whether_the_list_is_of_open_tasks(api, given):
    api.call("GET", f"{TASKS}?open={given}").is_problem(422, "bad-query")


@pytest.mark.parametrize("given", ["", "maybe", "0", "FALSE"])
def test_only_true_and_false_say_whether_the_matrix_is_shown(api, given):
    task = api.submit(node())
    api.call("GET", f"{TASKS}/{task}?digraph={given}").is_problem(422, "bad-query")


@pytest.mark.parametrize("query", ["offset=-1", "offset=x", "offset=1.5", "attempt=-1", "attempt=" + "9" * 40])
def test_a_faulty_place_in_a_log_is_refused(api, query):
    task = api.submit(node())
    api.call("GET", f"{TASKS}/{task}/nodes/a/log?{query}").is_problem(422, "bad-query")


@pytest.mark.parametrize("prefer", ["wait=-5", "wait=soon", "wait", "wait=,", "respond-async", "=;,=", "wait=1e9"])
def test_a_preference_that_makes_no_sense_is_ignored(api, prefer):
    task = api.submit(node())
    api.end(task)
    assert api.call("GET", f"{TASKS}/{task}", headers={"Prefer": prefer}).status == 200


# -- the names under which it answers


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::2]", "0"]
)
def test_a_foreign_host_reaches_nothing(api, host):
    """A web page that lets its own name point to this machine (DNS rebinding) must not reach a shell."""
    before = api.call("GET", TASKS).json
    for method, path, body in (("POST", TASKS, gorch()), ("GET", TASKS, None), ("GET", "/apidocs/", None)):
        answer = api.call(method, path, body, headers={"Host": host})
        answer.is_problem(421, "host-not-allowed")
        assert "GORCH_ALLOWED_HOSTS" in answer.json["detail"]
    assert api.call("GET", TASKS).json == before


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "[::1]", "[::1]:8080", "localhost."])
def test_its_own_names_are_answered_with_any_port(api, host):
    assert api.call("GET", TASKS, headers={"Host": host}).status == 200


def test_a_request_without_a_host_reaches_nothing(api):
    with socket.create_connection(("127.0.0.1", api.port), timeout=PATIENCE) as raw:
        raw.sendall(b"GET /v1/tasks HTTP/1.0\r\n\r\n")
        assert raw.makefile("rb").readline().split()[1] == b"421"


# -- half a request


def test_clients_that_stop_in_the_middle_hold_nobody_up(api):
    head = (
        b"POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    )
    half = [socket.create_connection(("127.0.0.1", api.port), timeout=PATIENCE) for _ in range(50)]
    try:
        for raw in half:
            raw.sendall(head + b'{"nodes": ')
        assert states(api.end(api.submit(gorch()))) == {"a": 3}
        assert "a" in nodes(api.task(api.submit(gorch())))
    finally:
        for raw in half:
            raw.close()


@pytest.mark.parametrize("chunks", [b"zz\r\nabc\r\n0\r\n\r\n", b"5\r\n{}"])
def test_a_malformed_chunked_body_is_refused(api, chunks):
    head = b"POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with closing(api.connect()) as connection:
        connection.connect()
        connection.sock.sendall(head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks)
        connection.sock.shutdown(socket.SHUT_WR)
        answer = connection.sock.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"urn:gorchestrator:problem:bad-json" in answer


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/v1/tasks?stat=failure", "no parameter 'stat'; did you mean state?"),
        ("HEAD", "/v1/tasks?stat=failure", ""),
        ("GET", "/v1/ping?verbose=1", "no parameter 'verbose'; this route has none"),
        ("GET", "/v1/tasks/nothing/nodes/a/log?lines=3", "those of this route are offset, "),
        ("POST", "/v1/tasks?dry_run=true", "no parameter 'dry_run'"),
        ("DELETE", "/v1/tasks/nothing?force=true", "no parameter 'force'"),
    ],
)
def test_a_parameter_that_there_is_not_is_no_silent_wish(api, method, path, words):
    answer = api.call(method, path, {"nodes": [{"name": "a"}]} if method == "POST" else None)
    assert answer.status == 422
    if method != "HEAD":
        answer.is_problem(422, "bad-query")
        assert words in answer.json["detail"]


def test_pages_and_probes_may_be_asked_with_more(api):
    for path in ("/?x=1", "/healthz?x=1", "/readyz?x=1", "/metrics?x=1"):
        assert api.call("GET", path).status == 200
