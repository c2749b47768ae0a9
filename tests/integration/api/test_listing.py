"""The list of tasks over HTTP: filters, order, pages, and what is wrong with a query."""

import base64

import pytest

TASKS = "/v1/tasks"


@pytest.fixture(scope="module")
def listed(start):
    """Return the API of a service with seven tasks, and their ids by name."""
    api = start().api
    ids = {}
    for number in range(6):
        document = {"name": f"Task {number}", "labels": {"odd": str(number % 2)}, "nodes": [{"name": "a"}]}
        if number == 3:
            document["nodes"] = [{"name": "a", "engine": "sleep", "args": ["bad"]}, {"name": "b", "needs": ["a"]}]
        ids[document["name"]] = api.submit(document)
        api.end(ids[document["name"]])
    ids["open"] = api.submit({"name": "open", "nodes": [{"name": "a", "engine": "sleep", "args": ["600"]}]})
    api.wait_for_node(ids["open"], "a", state=2)
    return api, ids


def names(api, query=""):
    return [task["name"] for task in api.call("GET", f"{TASKS}?{query}").json["tasks"]]


NEWEST = ["open", *(f"Task {number}" for number in range(5, -1, -1))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", NEWEST),
        ("sort=accepted", NEWEST[::-1]),
        ("sort=name", [*NEWEST[:0:-1], "open"]),
        ("state=failure", ["Task 3"]),
        ("state=failure,running", ["open", "Task 3"]),
        ("state=failure&state=running", ["open", "Task 3"]),
        ("state=open", ["open"]),
        ("open=true", ["open"]),
        ("name=task%204", ["Task 4"]),
        ("label=odd=1", ["Task 5", "Task 3", "Task 1"]),
        ("label=odd&state=failure", ["Task 3"]),
        ("label=odd=1&label=odd=0", []),
        ("until=1970-01-02T00:00:00Z", []),
        ("since=0&sort=-name&limit=2", ["open", "Task 5"]),
    ],
)
def test_filters_and_order(listed, query, expected):
    assert names(listed[0], query) == expected


def test_a_time_range_is_as_the_tasks_say(listed):
    api, ids = listed
    at = api.task(ids["Task 2"])["accepted_date"]
    later = api.task(ids["Task 4"])["accepted_date"]
    assert names(api, f"since={at}&until={later}") == ["Task 3", "Task 2"]


def test_pages_are_linked(listed):
    api, _ = listed
    path, found = f"{TASKS}?limit=3&label=odd", []
    while path:
        answer = api.call("GET", path)
        page = answer.json
        found += [task["name"] for task in page["tasks"]]
        link = answer.headers.get("link")
        assert (link is None) == (page["next"] is None)
        path = link and link.removeprefix("<").removesuffix('>; rel="next"')
    assert found == NEWEST[1:]


def test_a_task_in_the_list(listed):
    api, ids = listed
    (failed,) = api.call("GET", f"{TASKS}?state=failure").json["tasks"]
    assert failed["counts"] == {"failure": 1, "notrunnable": 1}
    assert (failed["id"], failed["size"], failed["rerun_of"]) == (ids["Task 3"], 2, None)
    assert failed["accepted_date"] <= failed["start_date"] <= failed["stop_date"]
    assert api.call("GET", TASKS).json["seq"] >= api.task(ids["open"])["seq"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=nonsense", "'nonsense'"),
        ("sort=size", "'size'"),
        ("since=yesterday", "2026-11-01T12:00:00Z"),
        ("limit=0", "from 1 to 1000"),
        ("cursor=AAAA", "cursor"),
        ("cursor=%FF", "cursor"),
        ("open=yes", "true or false"),
        ("&".join(["label=a"] * 11), "11 labels"),
        ("name=" + "x" * 1001, "1001 characters"),
        ("name=o%00x", "NUL"),
    ],
)
def test_a_faulty_query_is_refused(listed, query, said):
    answer = listed[0].call("GET", f"{TASKS}?{query}")
    answer.is_problem(422, "bad-query")
    assert said in answer.json["detail"]


def test_a_cursor_is_for_the_list_that_gave_it(listed):
    api, _ = listed
    cursor = api.call("GET", f"{TASKS}?limit=1&sort=name").json["next"]
    answer = api.call("GET", f"{TASKS}?limit=1&sort=state&cursor={cursor}")
    answer.is_problem(422, "bad-query")
    assert "sorted otherwise" in answer.json["detail"]


@pytest.mark.parametrize("sort", ["-accepted", "name"])
@pytest.mark.parametrize(
    "inner",
    [
        '["SORT", NaN, 1, "a"]',
        '["SORT", Infinity, 1, "a"]',
        '["SORT", 1e300, 1, "a"]',
        '["SORT", -1, 1, "a"]',
        '["SORT", 0, 1, "\\ud800"]',
        '["SORT", 0, "\\ud800", "a"]',
        '["SORT", 0, 1]',
        "[" * 2500,
    ],
)
def test_a_cursor_that_somebody_has_changed_is_refused(listed, sort, inner):
    cursor = base64.urlsafe_b64encode(inner.replace("SORT", sort).encode()).decode().rstrip("=")
    listed[0].call("GET", f"{TASKS}?sort={sort}&cursor={cursor}").is_problem(422, "bad-query")


@pytest.mark.parametrize("value", ["1e400", "1e30", "NaN", "null", '"x"'])
def test_a_cursor_with_a_number_that_is_none_is_refused(listed, value):
    cursor = base64.urlsafe_b64encode(f'["state", 0, {value}, "a"]'.encode()).decode().rstrip("=")
    listed[0].call("GET", f"{TASKS}?sort=state&cursor={cursor}").is_problem(422, "bad-query")
