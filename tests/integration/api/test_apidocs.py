"""The API docs are complete, true, and rendered with nothing from outside."""

import json
import os
import re
import subprocess
import sys

import pytest

from peers_support import FakeExecutor, server_context
from support import ROOT, clean_environment, wait_until

SCHEMA = "#/components/schemas/"
PROBLEM = {"$ref": "#/components/responses/Problem"}
RULES = """
from gevent import monkey
monkey.patch_all()
import json
from gorchestrator.app import create_app
app = create_app()
print()
print(json.dumps([[rule.rule, sorted(rule.methods), rule.endpoint] for rule in app.url_map.iter_rules()]))
"""
# What there is beside the routes of the API: its docs themselves, the pages, and static files.
NOT_OURS = re.compile(r"flasgger\.|apidocs_pages\.|web\.|.*\.static$")


@pytest.fixture(scope="module")
def executor(certs):
    fake = FakeExecutor(server_context(certs, ca=certs / "ca.pem")).start()
    yield fake
    fake.stop()


@pytest.fixture(scope="module")
def orchestrator(start, executor):
    """Return an orchestrator whose executor has the engine that the examples name."""
    return start(f"executor={executor.url}")


@pytest.fixture(scope="module")
def spec(api):
    return api.call("GET", "/apispec.json").json


def operations(spec):
    return {(method, path): found for path, item in spec["paths"].items() for method, found in item.items()}


def test_every_route_is_documented_and_nothing_else(spec, certs, tmp_path):
    settings = {"GORCH_DATA": str(tmp_path / "data"), "GORCH_CERTS": str(certs)}
    done = subprocess.run(
        [sys.executable, "-c", RULES],
        env=clean_environment(**settings) | {"PYTHONPATH": os.fspath(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rules = json.loads([line for line in done.stdout.splitlines() if line.startswith("[")][-1])
    served = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule))
        for rule, methods, endpoint in rules
        if not NOT_OURS.match(endpoint)
        for method in set(methods) - {"HEAD", "OPTIONS"}
    }
    assert {path for _, path in served} >= {"/v1/tasks", "/v1/ping", "/v1/validate"}
    assert set(operations(spec)) == served


def resolved(spec, item):
    """Return what a reference leads to."""
    return spec["components"]["parameters"][item["$ref"].rpartition("/")[2]] if "$ref" in item else item


def test_every_route_says_what_it_does_takes_and_answers(spec):
    for (method, path), found in operations(spec).items():
        assert found["summary"], path
        assert found["tags"], path
        for status, answer in found["responses"].items():
            assert answer == PROBLEM if status >= "400" else answer["description"]
        listed = [resolved(spec, item) for item in found.get("parameters", ())]
        named = {item["name"] for item in listed if item["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path))
        assert "421" in found["responses"], f"{method} {path}"
        if method == "post":
            assert {"400", "413", "415", "422"} <= set(found["responses"])
            assert found["requestBody"]["content"]["application/json"]["schema"]


def test_every_reference_leads_somewhere(spec):
    text = json.dumps(spec)
    for reference in set(re.findall(r'"\$ref": "(#[^"]*)"', text)):
        found = spec
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found
    used = set(re.findall(rf'"{SCHEMA}(\w+)"', text))
    assert used == set(spec["components"]["schemas"])


def test_every_example_of_a_request_gives_the_answer_that_is_documented(api, spec):
    sent = 0
    for (method, path), found in operations(spec).items():
        content = found.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None or "{" in path:  # the latter depends on what it names
            continue
        answer = api.call(method.upper(), path, content["example"])
        good = [status for status in found["responses"] if status.startswith("2")]
        assert str(answer.status) in good, answer.data
        has_shape(spec, answer, found["responses"][str(answer.status)])
        sent += 1
    assert sent == 3


def test_every_other_route_answers_what_is_documented(api, spec):
    task = api.submit(operations(spec)["post", "/v1/tasks"]["requestBody"]["content"]["application/json"]["example"])
    ended = api.end(task)
    assert {node["state"] for node in ended["nodes"]} == {3}
    for (method, path), found in operations(spec).items():
        if method == "post" or path == "/v1/events":  # which never ends
            continue
        answer = api.call(method.upper(), path.format(task_id=task, node=ended["nodes"][0]["name"]))
        good = str(answer.status)
        assert good in {"200", "204"} & set(found["responses"])
        if answer.data:
            has_shape(spec, answer, found["responses"][good])
        for header in found["responses"][good].get("headers", {}):
            assert header.lower() in answer.headers or header in {"Preference-Applied", "Gorch-Log-Gap", "Link"}


def test_the_example_of_an_answer_about_a_lost_attempt_has_the_shape_that_is_documented(api, spec):
    """It is refused for what it says of the node, and for nothing else."""
    task = api.submit({"nodes": [{"name": "a"}]})
    api.end(task)
    path = "/v1/tasks/{task_id}/nodes/{node}/resolve"
    example = operations(spec)["post", path]["requestBody"]["content"]["application/json"]["example"]
    api.call("POST", path.format(task_id=task, node="a"), example).is_problem(409, "not-in-doubt")


def test_problems_have_the_shape_that_is_documented(api, spec):
    answer = api.call("POST", "/v1/tasks", {"nodes": []})
    assert set(answer.json) <= set(spec["components"]["schemas"]["Problem"]["properties"])
    assert set(answer.json["errors"][0]) == set(spec["components"]["schemas"]["Fault"]["properties"])


def has_shape(spec, answer, documented):
    """Fail unless an answer has the media type and exactly the keys of its schema, at every depth."""
    kind = answer.headers["content-type"]
    media = kind if kind in documented["content"] else kind.partition(";")[0]
    assert media in documented["content"]
    if media == "application/json":
        compare(spec, answer.json, documented["content"][media]["schema"])


def compare(spec, value, schema, where="answer"):
    while "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].removeprefix(SCHEMA)]
    if "properties" in schema:
        unknown = set(value) - set(schema["properties"])
        assert not unknown, f"{where} has {unknown}, which the docs do not have"
        for key, item in value.items():
            compare(spec, item, schema["properties"][key], f"{where}.{key}")
    elif schema.get("type") == "array":
        for item in value:
            compare(spec, item, schema["items"], f"{where}[]")


# -- the page


def test_the_page_and_all_that_it_loads_come_from_the_service(api):
    page = api.call("GET", "/apidocs/")
    assert page.status == 200
    html = page.data.decode()
    loaded = re.findall(r"""<(?:script|img|iframe)[^>]*\ssrc=["']([^"']+)|<link[^>]*\shref=["']([^"']+)""", html)
    addresses = [script or link for script, link in loaded]
    assert len(addresses) >= 4
    assert 'url: "/apispec.json"' in html
    for address in addresses:
        assert re.match(r"/[^/]", address), f"{address} is not of this service"
        asset = api.call("GET", address)
        assert asset.status == 200
        if address.endswith(".css"):
            css = asset.data.decode()
            assert "@import" not in css
            assert all(start.startswith("data:") for start in re.findall(r"""url\(["']?([^"')]{0,20})""", css))
    assert not re.findall(r"@import|url\(", html)
    # What a script might fetch by itself; the validator's badge is the one thing that Swagger UI would.
    assert "validatorUrl: null" in html


def test_a_submission_without_its_engine_names_the_known_ones(api):
    """The executor has been reached, so its engines are known."""
    document = {"nodes": [{"name": "a", "engine": "shel", "artifact": "true"}, {"name": "b", "engine": "docker"}]}
    wait_until(lambda: api.call("GET", "/v1/ping").json["executors"][0]["reachable"])
    for path in ("/v1/tasks", "/v1/validate"):
        answer = wait_until(lambda path=path: (found := api.call("POST", path, document)).status == 422 and found)
        answer.is_problem(422, "invalid-gorch")
        assert answer.faults == {
            "/nodes/0/engine": "'shel' is unknown; known are nil, shell, sleep",
            "/nodes/1/engine": "'docker' is unknown; known are nil, shell, sleep",
        }
