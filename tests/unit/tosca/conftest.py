"""What tests of whole conversions share."""

from pathlib import Path

import pytest

from gorchestrator.tosca.convert import Conversion, Request, convert
from gorchestrator.tosca.writing import Options
from tosca_support import HEAD, Converted


@pytest.fixture
def converted(tmp_path: Path) -> Converted:
    """Return a function that converts a template, with scripts beside it by their names without ``.sh``."""

    def convert_it(text: str, **scripts: str) -> Conversion:
        for name, content in scripts.items():
            (tmp_path / f"{name}.sh").write_text(f"#!/bin/sh\n{content}\n")
        template = tmp_path / "template.yaml"
        template.write_text(HEAD + text)
        return convert(template, Request({}, options=Options(local=True)))

    return convert_it
