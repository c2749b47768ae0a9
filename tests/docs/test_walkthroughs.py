"""Every example that a document shows behind ``$`` is run against the two real services, and prints what is shown."""

import json

import pytest

from docs_support import files, play, transcript
from gorchestrator.remote import Refused
from support import ROOT, start_services

SHOWING = [path for path in sorted(ROOT.glob("docs/*.rst")) if ".. code-block:: console" in path.read_text("utf-8")]
ADDRESSES = ("http://127.0.0.1:8080", "https://127.0.0.1:8443")


@pytest.fixture(scope="module")
def services(tmp_path_factory, certs):
    """Start the services, and put what is theirs where the documents look for it: at its default place."""
    home = tmp_path_factory.mktemp("home")
    data = tmp_path_factory.mktemp("data")
    for found in start_services(data, certs):
        state = home / ".local" / "state"
        state.mkdir(parents=True)
        (state / "gorchestrator").symlink_to(data / "orchestrator")
        (data / "orchestrator" / "executor").symlink_to(data / "executor")
        (data / "orchestrator" / "certs").symlink_to(certs)
        yield found, home


def test_the_documents_have_examples():
    assert {path.name for path in SHOWING} >= {"api.rst", "executor.rst", "gorch.rst", "operations.rst"}


@pytest.mark.parametrize("path", SHOWING, ids=lambda path: path.name)
def test_the_examples_print_what_is_shown(services, tmp_path, path):
    found, home = services
    for name, text in files(path).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    replace = dict(zip(ADDRESSES, (found.url, found.executor.url), strict=True))
    settings = {"HOME": str(home), "XDG_STATE_HOME": "", "GORCH_URL": found.url}
    wrong = play(transcript(path), tmp_path, replace, **settings)
    assert not wrong, "\n\n".join(wrong)


def test_the_gorchs_of_the_format_are_accepted_or_refused_as_it_says(services):
    shown = files(ROOT / "docs" / "gorch.rst")
    remote = services[0].remote
    refused = {"faulty.json", "twice.json"}
    for name, text in shown.items():
        if name in refused:
            with pytest.raises(Refused):
                remote.validate(text)
        else:
            assert remote.validate(text)["nodes"] == len(json.loads(text)["nodes"])
    assert refused < shown.keys()
