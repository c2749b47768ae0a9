import io

import pytest
from docutils.core import publish_doctree
from docutils.utils import Reporter

from executor.config import Config as ExecutorConfig
from gorchestrator.common.settings import entries
from gorchestrator.config import Config
from support import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.rst"), *ROOT.glob("docs/*.rst"), *ROOT.glob("examples/*.rst")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_is_well_formed(path):
    said = io.StringIO()
    settings = {"report_level": Reporter.WARNING_LEVEL, "halt_level": Reporter.SEVERE_LEVEL, "warning_stream": said}
    publish_doctree(path.read_text("utf-8"), source_path=str(path), settings_overrides=settings)
    assert said.getvalue() == ""


@pytest.mark.parametrize(("cls", "title"), [(Config, "The orchestrator"), (ExecutorConfig, "The executor")])
def test_every_setting_is_documented(cls, title):
    text = (ROOT / "docs/configuration.rst").read_text("utf-8")
    section = text.partition(f"\n{title}\n---")[2].partition("\n---")[0]
    documented = [line.split("``")[1] for line in section.splitlines() if line.startswith("   * - ``")]
    assert documented == [field.name for field in entries(cls)]
    for field in entries(cls):
        help_text = field.metadata["setting"].help.replace("`", "``")
        assert f"     - {help_text}\n" in section, field.name
    marked = [line.split("``")[1] for line in section.splitlines() if line.endswith("`` (live)")]
    assert marked == [field.name for field in entries(cls) if field.metadata["setting"].live]


def test_the_readme_opens_with_the_two_commands():
    text = (ROOT / "README.rst").read_text("utf-8")
    assert "    python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/gorch demo\n" in text
    test_command = "python3 -m venv .venv && .venv/bin/pip install tox && .venv/bin/tox"
    assert f"    {test_command}\n" in text
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == test_command
