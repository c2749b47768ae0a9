"""Fixtures for tests of all levels."""

import compileall
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import support
from gorchestrator import certificates
from support import ROOT, Services, start_services

# Several hundred processes import the same modules: unless the first one leaves them compiled, each compiles them all.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Compile everything once, before as many processes as there are all begin with it."""
    for package in ("gorchestrator", "executor"):
        compileall.compile_dir(ROOT / package, quiet=2)
    tests = ROOT / "tests"
    if next(tests.rglob("test_*-pytest-*.pyc"), None):
        return
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-qq"]
    rest = [str(each) for each in sorted(tests.iterdir()) if each.is_dir() and each.name not in {"unit", "data"}]
    halves = [
        subprocess.Popen([*collect, *those], cwd=ROOT, stdout=subprocess.DEVNULL)
        for those in ([str(tests / "unit")], rest)
    ]
    for half in halves:
        half.wait()


@pytest.fixture(scope="session")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a CA and the certificates of both services."""
    folder = tmp_path_factory.mktemp("certs")
    certificates.write(folder)
    return folder


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """Have nothing that a module starts measure its coverage; fixtures and modules ask for it, see ``support``."""
    with support.unmeasured():
        yield


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, certs: Path) -> Iterator[Services]:
    """Return the two real services with real certificates, one pair for a module."""
    yield from start_services(tmp_path_factory.mktemp("service"), certs)
