"""The whole API keeps to its own document: what schemathesis makes up of it is answered as it says there."""

import os
import subprocess
import sys

from api_support import Api
from support import PATIENCE, clean_environment

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
ENDLESS = "/v1/events"  # its answer has no end
EXAMPLES = 5  # made up for each route, beside its own ones and those at the limits of its parameters
# A task that has ended, so that nothing is waited for: one node did well, one failed, one was not run.
TASK = {
    "nodes": [
        {"name": "well", "engine": "nil"},
        {"name": "badly", "engine": "sleep", "args": ["soon"], "needs": ["well"]},
        {"name": "not", "needs": ["badly"]},
    ]
}


def test_every_route_answers_as_its_document_says(api, tmp_path):
    task = api.submit(TASK)
    assert api.end(task)["counts"] == {"success": 1, "failure": 1, "notrunnable": 1}
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(f'[parameters]\n"path.task_id" = "{task}"\n"path.node" = "badly"\n')
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run"]
    options = {
        "--checks": CHECKS,
        "--phases": "examples,coverage,fuzzing",
        "--exclude-path": ENDLESS,
        "--max-examples": str(EXAMPLES),
        "--request-timeout": str(PATIENCE),
        "--warnings": "off",
    }
    done = subprocess.run(
        [
            *command,
            f"http://127.0.0.1:{api.port}/apispec.json",
            *(part for option in options.items() for part in option),
            "--generation-deterministic",
        ],
        env=clean_environment() | {"NO_COLOR": "1", "HOME": os.fspath(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_never_gets_to_the_application_is_refused_with_a_problem_too(api):
    api.call("GET", f"/v1/tasks?name={'x' * 5000}").is_problem(414, "uri-too-long")
    any_route = Api(api.port)  # what may happen with whichever route is not in their documents
    for headers in ({"X-Long": "x" * 10_000}, {f"X-{number}": "x" for number in range(200)}):
        any_route.call("GET", "/v1/ping", headers=headers).is_problem(431, "headers-too-large")
