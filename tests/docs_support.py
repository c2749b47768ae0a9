"""Transcripts in documents: what stands behind ``$`` is run in one bash, and what it prints has to be what is shown.

``…`` in a shown line stands for anything, and a line of its own for any lines. Ids, times and lengths of time differ
from run to run, and columns are as wide as what is in them, so these are not compared. A file that a document shows
(its name in a paragraph before a ``code-block``) is there.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.core import publish_doctree

from support import ROOT, clean_environment

END = "\x1e"  # printed behind each command
PROMPT, MORE = "$ ", "> "
VARYING = {
    r"\b[0-9a-f]{32}\b": "ID",
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?": "TIME",
    r"\b\d\d:\d\d:\d\d\b": "CLOCK",
    r"\b\d+(\.\d+)? m?s\b": "DURATION",
    r"\bpid=\d+\b": "pid=PID",
    r"[ \t]+": " ",
    r" $": "",
}


@dataclass
class Step:
    """A command of a transcript and the lines that are shown below it."""

    command: str
    shown: list[str] = field(default_factory=list)


@cache
def doctree(path: Path) -> nodes.document:
    """Return a document as parsed, which takes so long that nobody should do it while tests are collected."""
    return publish_doctree(path.read_text("utf-8"), source_path=str(path), settings_overrides={"report_level": 5})


def transcript(path: Path, kind: str = "console") -> list[Step]:
    """Return the commands of all blocks of this class, in order."""
    steps: list[Step] = []
    for block in doctree(path).findall(nodes.literal_block):
        if kind not in block["classes"]:
            continue
        for line in block.astext().splitlines():
            if line.startswith(PROMPT):
                steps.append(Step(line.removeprefix(PROMPT)))
            elif line.startswith(MORE) and not steps[-1].shown:
                steps[-1].command += "\n" + line.removeprefix(MORE)
            else:
                steps[-1].shown.append(line)
    return steps


def files(path: Path) -> dict[str, str]:
    """Return the files that a document shows: those whose name, and nothing else, stands before a block."""
    found = {}
    for block in doctree(path).findall(nodes.literal_block):
        before = block.previous_sibling()
        if isinstance(before, nodes.paragraph) and isinstance(before.children[0], nodes.literal):
            name = before.children[0].astext()
            if before.astext() == f"{name}:":
                found[name] = block.astext() + "\n"
    return found


def play(steps: list[Step], folder: Path, replace: Mapping[str, str], **settings: str) -> list[str]:
    """Run a transcript in ``folder`` and return what is not as shown. ``replace``: what the documents say → what is."""
    script = folder / "transcript.sh"
    script.write_text(_script(steps, replace))
    done = subprocess.run(
        ["bash", str(script)],
        cwd=folder,
        env=clean_environment(**settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    printed = done.stdout.decode().split(END)[:-1]
    assert len(printed) == len(steps), f"the transcript stopped: {done.stdout.decode()[-2000:]}"
    back = {actual: documented for documented, actual in replace.items()}
    texts = [_replaced(text, back) for text in printed]
    return [_difference(step, text) for step, text in zip(steps, texts, strict=True) if not _as_shown(step, text)]


def _script(steps: list[Step], replace: Mapping[str, str]) -> str:
    python = shlex.quote(sys.executable)
    gorch = [f'gorch() {{ {python} -m gorchestrator.cli "$@"; }}', f'python3() {{ {python} "$@"; }}']
    # Each in this very shell, for the sake of its variables; the status of one is $? of the next.
    commands = [f"{{ {_replaced(step.command, replace)}\n}} 2>&1\ns=$?; printf '{END}'; (exit $s)" for step in steps]
    return "\n".join([f"export PYTHONPATH={shlex.quote(str(ROOT))}", *gorch, *commands, ""])


def _replaced(text: str, replace: Mapping[str, str]) -> str:
    for old, new in replace.items():
        text = text.replace(old, new)
    return text


def _as_shown(step: Step, printed: str) -> bool:
    lines = [_steady(line) for line in printed.strip("\n").splitlines()]
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "…" else _line(line) for line in step.shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def _line(shown: str) -> str:
    return ".*?".join(map(re.escape, _steady(shown).split("…"))) + "\n"


def _steady(line: str) -> str:
    for pattern, name in VARYING.items():
        line = re.sub(pattern, name, line)
    return line


def _difference(step: Step, printed: str) -> str:
    shown = "\n".join(step.shown)
    return f"$ {step.command}\n-- is shown with\n{shown}\n-- and prints\n{printed}"
