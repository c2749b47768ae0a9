"""Settings of traces: what is refused, and that nobody pays for what is off."""

import subprocess
import sys

import pytest

from gorchestrator.common.settings import SettingsError
from gorchestrator.config import Config
from support import ROOT, clean_environment


def faults(**settings: str) -> str:
    with pytest.raises(SettingsError) as caught:
        Config.load(settings)
    return str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    ["localhost:4318", "ftp://localhost", "http://", "http://a:99999", "http://a b", "http://a/?key=b", "http://a/#b"],
)
def test_what_is_no_url_is_refused(endpoint: str) -> None:
    assert "GORCH_OTLP_ENDPOINT: " in faults(GORCH_OTLP_ENDPOINT=endpoint)


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    found = faults(GORCH_OTLP_ENDPOINT="http://me:hush@localhost:4318")
    assert "GORCH_OTLP_ENDPOINT: " in found
    assert "hush" not in found


@pytest.mark.parametrize("ratio", ["-0.1", "1.1"])
def test_a_part_is_a_part(ratio: str) -> None:
    assert "GORCH_OTLP_RATIO: " in faults(GORCH_OTLP_RATIO=ratio)


@pytest.mark.parametrize("missing", ["opentelemetry", "opentelemetry.proto"])
def test_without_the_extra_it_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.proto", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    assert "gorchestrator-oaas[otel]" in faults(GORCH_OTLP_ENDPOINT="http://127.0.0.1:4318")


def test_what_is_off_loads_nothing() -> None:
    code = "import sys, gorchestrator.app; print([name for name in sys.modules if 'opentelemetry' in name])"
    found = subprocess.run(
        [sys.executable, "-c", f"from gevent import monkey; monkey.patch_all(); {code}"],
        env=clean_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert found.stdout == "[]\n"
