"""The engine ``ansible`` without Ansible, and the bounds of what its callback plugin writes."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from executor.ansible_plugins import gorch_results
from executor.ansible_plugins.gorch_results import CallbackModule
from executor.config import Config
from executor.drivers.ansible import Ansible


def result(host: str, **values: Any) -> Any:
    named = SimpleNamespace(get_name=lambda: "a task", action="debug")
    return SimpleNamespace(_host=SimpleNamespace(get_name=lambda: host), _task=named, _result=values)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CallbackModule:
    monkeypatch.setenv("GORCH_ANSIBLE_RESULTS", str(tmp_path / "results.jsonl"))
    monkeypatch.setenv("GORCH_ANSIBLE_SUMMARY", str(tmp_path / "summary.json"))
    return CallbackModule()


def test_results_are_bounded_in_all(plugin: CallbackModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gorch_results, "FILE_LIMIT", 1000)
    for _ in range(100):
        plugin.v2_runner_on_ok(result("web1", msg="x" * 50))
    lines = (tmp_path / "results.jsonl").read_text().splitlines()
    assert 3 < len(lines) < 20
    assert sum(map(len, lines)) < 1000
    assert lines[-1] == '{"truncated": true}'


def test_the_summary_is_bounded_too(plugin: CallbackModule, tmp_path: Path) -> None:
    for number in range(100):
        plugin.v2_runner_on_failed(result(f"web{number}", msg="y" * 10_000))
    custom = {"_run": {f"n{number}": "x" * 100_000 for number in range(100)}}
    hosts = {f"web{number}": 1 for number in range(100)}
    plugin.v2_playbook_on_stats(SimpleNamespace(failures=hosts, dark={}, custom=custom))
    assert 2**20 < (tmp_path / "summary.json").stat().st_size < 2**20 + 200_000


def test_without_its_variables_it_is_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GORCH_ANSIBLE_RESULTS", raising=False)
    assert CallbackModule().disabled


def test_an_absent_program_is_told_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    said = Ansible(Config()).check()
    assert said is not None
    assert "pip install gorchestrator-oaas[ansible]" in said
    (tmp_path / "ansible-playbook").touch(0o700)
    assert Ansible(Config()).check() is None
