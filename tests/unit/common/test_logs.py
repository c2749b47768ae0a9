import io
import json
import logging
import warnings

import pytest

from gorchestrator.common import logs


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _root_as_before():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def configured(fmt, stream=None, level="info"):
    stream = stream or io.StringIO()
    logs.configure(level, fmt, stream)
    return stream


def test_json_lines_have_the_common_fields_first():
    out = configured("auto")
    logging.getLogger("a.b").info("hé %s\n", "x", extra={"event": "run_started", "task": "t", "node": 3})
    line = json.loads(out.getvalue())
    assert list(line) == ["time", "level", "logger", "event", "message", "task", "node"]
    assert line | {"time": ""} == {
        "time": "",
        "level": "info",
        "logger": "a.b",
        "event": "run_started",
        "message": "hé x\n",
        "task": "t",
        "node": 3,
    }
    assert line["time"].endswith("Z")
    assert out.getvalue().count("\n") == 1


def test_a_traceback_is_one_field():
    out = configured("json", Terminal())
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("a").exception("it broke")
    line = json.loads(out.getvalue())
    assert line["event"] == "log"
    assert "ValueError: no" in line["exc_info"]


def test_text_on_a_terminal_has_colours_and_no_steering(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = configured("auto", Terminal())
    logging.getLogger("a").warning("bad\x1b[2J\nline", extra={"event": "odd", "peer": "x\x07", "task": None})
    line = out.getvalue()
    assert "\x1b[33mWARNING\x1b[0m \x1b[36modd\x1b[0m bad\\x1b[2J\\nline" in line
    assert "peer=x\\x07" in line
    assert "task" not in line


def test_text_without_a_terminal_has_no_colours():
    out = configured("text")
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("a").exception("it broke")
    assert "\x1b" not in out.getvalue()
    assert out.getvalue().endswith("ValueError: no\n")


def test_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    out = configured("auto", Terminal())
    logging.getLogger("a").info("x")
    assert "\x1b" not in out.getvalue()


def test_configuring_twice_writes_once_and_obeys_the_level():
    configured("json")
    out = configured("json", level="warning")
    logging.getLogger("a").info("not this")
    logging.getLogger("a").warning("this")
    assert [json.loads(line)["message"] for line in out.getvalue().splitlines()] == ["this"]


def test_gunicorns_lines_and_warnings_join():
    logging.getLogger("gunicorn.error").addHandler(logging.StreamHandler())
    out = configured("json")
    logging.getLogger("gunicorn.error").error("boom")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["logger"] for line in lines] == ["gunicorn.error", "py.warnings"]
