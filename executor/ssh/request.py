"""What is sent to the other host: a program for its shell, with all that belongs to the job, over standard input.

The command line is the same constant for everybody, so no process there or here shows anything of a job.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

#: Evaluates as many bytes of its input as a first line says; what is cut off on its way is not a whole program.
COMMAND = """exec /bin/sh -c 'IFS= read -r n && eval "$(head -c "$n")"'"""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MOST = 8 * 2**20  # bytes of a file of outputs; beyond, they are too large in any case
TENTHS = 10
FOREVER, NEVER = 2**31 - 1, -1  # seconds


class Unsendable(Exception):
    """Something cannot be said to a host; the text says what."""


@dataclass(frozen=True, slots=True)
class Program:
    """What a job runs: ``content`` if it is sent, else ``name`` on the host."""

    name: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """All that a host must know of a job to start it.

    ``wanted``: None, or names of variables whose values at the end of the script are wanted: then the program is run by
    the interpreter that its first line names.
    """

    program: Program
    args: Sequence[str]
    env: Mapping[str, str]
    wanted: Sequence[str] | None = None


def start(job_id: str, work: Work, log_size: int, grace: float) -> bytes:
    """Return the request that starts a job, or follows the one that is there. Raises :class:`Unsendable`.

    ``grace``: seconds between TERM and KILL, should what is left of it have to be killed.
    """
    values = {"_prog": work.program.name, "_wanted": " ".join(work.wanted or ()), "_from": str(log_size)}
    return _request(job_id, "start", values | _grace(grace), _functions(work))


def follow(job_id: str, log_size: int, grace: float) -> bytes:
    """Return the request that follows a job that was started."""
    return _request(job_id, "attach", {"_from": str(log_size), **_grace(grace)})


def end(job_id: str, grace: float, within: float | None) -> bytes:
    """Return the request that kills a job. One that ended by itself ``within`` so many seconds is left as it is."""
    seconds = str(NEVER if within is None else round(within))
    return _request(job_id, "end_it", {"_seconds": seconds, **_grace(grace)})


def forget(job_id: str) -> bytes:
    """Return the request that removes what is left of a job that has ended."""
    return _request(job_id, "forget", {})


def _grace(seconds: float) -> dict[str, str]:
    return {"_grace": str(round(seconds * TENTHS))}


def _request(job_id: str, verb: str, values: Mapping[str, str], functions: bytes = b"") -> bytes:
    known = {"_id": job_id, "_most": str(MOST + 1), **values}
    lines = [f"{name}=".encode() + quoted(value) for name, value in known.items()]
    return b"{\n" + b"\n".join([*lines, functions, _text(), verb.encode()]) + b"\n}\n"


def _functions(work: Work) -> bytes:
    content = work.program.content
    exports = [b"export " + _variable(name) + b"=" + quoted(value) for name, value in work.env.items()]
    exports.append(b'export GORCH_OUTPUT="$_d/output"')
    sent = b"" if content is None else b"_prog=$_script\n"
    run = b" ".join([b"launch", *map(quoted, work.args)]) if work.wanted is None else b"source_it"
    return b"\n".join(
        [
            b"node_put() {",
            b":" if content is None else _put(content),
            b"}",
            b"node_env() {",
            *exports,
            b"}",
            b"node_run() {",
            sent + run,
            b"}",
        ]
    )


def _put(content: bytes) -> bytes:
    if b"\0" not in content:
        return b"printf %s " + _enclosed(content) + b' >"$1" && chmod 700 "$1"'
    lines = b64encode(content)
    return b'base64 -d >"$1" <<\\END && chmod 700 "$1"\n' + lines + b"\nEND"


def _variable(name: str) -> bytes:
    if not NAME.fullmatch(name):
        raise Unsendable(f"{name[:100]!r} cannot be a variable of a shell: letters, digits and underscore")
    return name.encode()


def quoted(text: str) -> bytes:
    """Return a word of the shell that stands for the text. Raises :class:`Unsendable`."""
    if "\0" in text:
        raise Unsendable("an argument or a variable has a NUL, which no program can be given")
    try:
        return _enclosed(text.encode())
    except UnicodeEncodeError:
        raise Unsendable("an argument or a variable is not Unicode: a surrogate stands alone") from None


def _enclosed(text: bytes) -> bytes:
    return b"'" + text.replace(b"'", b"'\\''") + b"'"


@cache
def _text() -> bytes:
    lines = Path(__file__).with_name("remote.sh").read_bytes().splitlines(keepends=True)
    return b"".join(line for line in lines if not line.lstrip().startswith(b"#"))
