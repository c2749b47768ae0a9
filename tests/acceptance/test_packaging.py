"""The source distribution and the wheel are complete, and what is installed from the wheel runs."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from support import ROOT, clean_environment

DATA = {
    "gorchestrator/py.typed",
    "executor/py.typed",
    "executor/ansible_plugins/gorch_results.py",
    "gorchestrator/examples/demo.json",
    "gorchestrator/examples/tosca/scripts/start.sh",
    "gorchestrator/tosca/types/normative.yaml",
    "gorchestrator/examples/expected.json",
    "gorchestrator/examples/README.rst",
    "gorchestrator/store/migrations/script.py.mako",
    "gorchestrator/common/http/templates/flasgger/head.html",
}


def known(*below: str) -> list[str]:
    """Return the files of this checkout that git knows."""
    listed = subprocess.run(["git", "ls-files", "-z", *below], cwd=ROOT, capture_output=True, check=True, text=True)
    return list(filter(None, listed.stdout.split("\0")))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an sdist of what git knows here, and the wheel built from it."""
    clone = tmp_path_factory.mktemp("clone") / "gorchestrator"
    for name in known():
        if (ROOT / name).is_file():
            target = clone / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "-o", str(folder), str(clone)], check=True, capture_output=True)
    return folder


def wheel(folder: Path) -> Path:
    (found,) = folder.glob("gorchestrator_oaas-*.whl")
    return found


def test_the_wheel_is_complete_and_has_nothing_more(built):
    names = set(zipfile.ZipFile(wheel(built)).namelist())
    assert names >= DATA | {name for name in known("gorchestrator/web") if (ROOT / name).is_file()}
    assert any(name.startswith("gorchestrator/store/migrations/versions/v0001") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"gorchestrator", "executor", "gorchestrator_oaas"}


def test_the_sdist_has_sources_tests_and_documents(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names >= {"setup.py", "setup.cfg", "tox.ini", "wsgi.py", "LICENSE", "README.rst", "CHANGELOG.rst"}
    assert names >= {"examples/demo.json", "docs/configuration.rst", "tests/conftest.py"}


def test_what_is_installed_runs_the_demo_from_any_directory(built, tmp_path):
    installed = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(installed), str(wheel(built))]
    subprocess.run(install, check=True)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "executor").mkdir(parents=True)
    (elsewhere / "executor" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    where = subprocess.run(
        [sys.executable, "-P", "-c", "import gorchestrator; print(gorchestrator.__file__)"],
        cwd=elsewhere,
        env=clean_environment(PYTHONPATH=str(installed)),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert where.startswith(str(installed))
    gorch = [sys.executable, str(installed / "bin" / "gorch")]
    done = subprocess.run(
        [*gorch, "demo", "--once", "--port", "0", "--data", str(tmp_path / "data")],
        cwd=elsewhere,
        env=clean_environment(PYTHONPATH=str(installed), PATH=os.environ["PATH"]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "graphs ended as they have to" in done.stdout
