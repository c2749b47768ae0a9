"""The setting that says which executors there are: texts and tables, and all that is wrong with them at once."""

from pathlib import Path

import pytest

from gorchestrator.common.endpoints import Endpoint
from gorchestrator.common.settings import SettingsError, describe
from gorchestrator.config import Config

FILE = """
[executors]
near = "https://127.0.0.1:8443"

[executors.far]
url = "https://far.example:8443"
labels = ["gpu", "big.host"]
weight = 2
default = true
tls_ca = "far/ca.pem"
tls_cert = "/etc/far.pem"
tls_key = "/etc/far.key"
"""


def loaded(tmp_path, text, **environ):
    file = tmp_path / "gorch.toml"
    file.write_text(text)
    return Config.load({"GORCH_CONFIG": str(file), "HOME": str(tmp_path), **environ})


def test_a_file_has_texts_and_tables(tmp_path):
    found = loaded(tmp_path, FILE)
    far = Endpoint(
        "https://far.example:8443",
        ("gpu", "big.host"),
        2.0,
        default=True,
        tls_ca=tmp_path / "far" / "ca.pem",
        tls_cert=Path("/etc/far.pem"),
        tls_key=Path("/etc/far.key"),
    )
    assert found.value.executors == {"near": Endpoint("https://127.0.0.1:8443"), "far": far}
    shown = next(each["value"] for each in describe(found) if each["name"] == "executors")
    assert shown["near"] == "https://127.0.0.1:8443"
    assert shown["far"] == {
        "url": "https://far.example:8443",
        "labels": ["gpu", "big.host"],
        "weight": 2.0,
        "default": True,
        "tls_ca": str(tmp_path / "far" / "ca.pem"),
        "tls_cert": "/etc/far.pem",
        "tls_key": "/etc/far.key",
    }


def test_the_environment_goes_before_the_file(tmp_path):
    found = loaded(tmp_path, FILE, GORCH_EXECUTORS="a=https://a:1, b = https://[::1]:2").value.executors
    assert found == {"a": Endpoint("https://a:1"), "b": Endpoint("https://[::1]:2")}


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('executors = "x"', ["is not a table; write name ="]),
        ("[executors]\na = 1", ["a: 1 is neither a URL nor a table"]),
        ("[executors.a]\nweight = 2", ["a: its url is missing"]),
        (
            '[executors.a]\nurl = ""\nlabels = "x"\nweight = true\nlabel = []\n[executors.b]\ntls_ca = 1',
            [
                "a: there is no 'label'; there are url, labels, weight",
                "a: url: '' is not a URL",
                "a: labels: 'x' is not a list of texts",
                "a: weight: True is not a number",
                "b: tls_ca: 1 is not a path",
                "b: its url is missing",
            ],
        ),
        (
            '[executors.a]\nurl = "https://x"\nweight = true\n[executors.b]\nurl = "x"\nweight = 0',
            ["a: weight: True is not a number", "'x' is not the URL", "b: the weight 0 is not above 0"],
        ),
        ('[executors.a]\nurl = "https://x"\nweight = 0', ["a: the weight 0 is not above 0"]),
        ('[executors.a]\nurl = "https://x"\ntls_key = "k"', ["a: tls_cert and tls_key belong together"]),
        ('[executors.a]\nurl = "https://x"\nlabels = ["a b"]', ["a: 'a b' is not a label"]),
        (
            '[executors]\nb = "https://y"\n[executors.a]\nurl = "https://x"\nlabels = ["b"]',
            ["a: its label 'b' is the name of"],
        ),
        ('[executors.a]\nurl = "http://x"', ["http://x is not https"]),
        ("[executors]", ["no executor; name at least one"]),
    ],
)
def test_all_faults_are_told_at_once(tmp_path, text, faults):
    with pytest.raises(SettingsError) as raised:
        loaded(tmp_path, text)
    for fault in faults:
        assert fault in str(raised.value)
