"""For how long a DELETE is held back: never so long that who asks takes the executor for lost."""

from types import SimpleNamespace

import pytest
from flask import Flask, Response

from executor import api, waiting
from executor.web import EXTENSION


@pytest.mark.parametrize(
    ("grace", "prefer", "seconds", "applied"),
    [
        (5.0, None, 17.0, 0),
        (3600.0, None, 50.0, 0),
        (3600.0, "wait=10", 10.0, 10.0),
        (3600.0, "wait=0", 0.0, 0),
        (3600.0, "wait=3000", 50.0, 50.0),
        (5.0, "return=minimal", 17.0, 0),
    ],
)
def test_as_long_as_is_preferred_or_a_kill_takes_but_no_longer_than_that(monkeypatch, grace, prefer, seconds, applied):
    waits = []
    monkeypatch.setattr(waiting, "for_death", lambda _job, wait: waits.append(wait))
    monkeypatch.setattr(api, "job_answer", lambda _job, _log, wait: Response(f"{wait:g}"))
    app = Flask(__name__)
    app.register_blueprint(api.api)
    app.extensions[EXTENSION] = SimpleNamespace(
        config=SimpleNamespace(kill_grace=grace, insecure=True), runner=SimpleNamespace(cancel=lambda *_: None)
    )
    headers = {} if prefer is None else {"Prefer": prefer}
    answer = app.test_client().delete(f"/v1/tasks/{'0' * 32}.0.1", headers=headers)
    assert waits == [seconds]
    assert answer.text == f"{applied:g}"
