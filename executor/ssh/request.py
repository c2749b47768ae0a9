"""What is sent to the other host: a program for its shell, with all that belongs to the job, over standard input.

The command line is the same constant for everybody, so no process there or here shows anything of a job.
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

GREETING = "gorchestrator:"  # before it, what the host's shell prints at each login may come
#: Greets, so that nothing is sent to what is no shell; then evaluates as many bytes of its input as a first line says:
#: what is cut off on its way is not a whole program. Without quotes in quotes, for login shells such as csh and fish.
COMMAND = (
    f"exec /bin/sh -c 'echo {GREETING} && IFS= read -r n && "
    """p=$(head -c "$n" || echo echo fail the host lacks head -c) && eval "$p"'"""
)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Variables that sh, where it is bash or dash, sets itself, refuses or takes for orders: they do not arrive as given.
SHELLS = re.compile(
    "BASHOPTS|BASHPID|BASH_(ALIASES|ARGC|ARGV|CMDS|COMMAND|COMPAT|LINENO|MONOSECONDS|SOURCE|SUBSHELL|TRAPSIG|VERSINFO|"
    "XTRACEFD)|DIRSTACK|EPOCHREALTIME|EPOCHSECONDS|EUID|FUNCNAME|GROUPS|HISTCMD|LINENO|OPTIND|PIPESTATUS|PPID|RANDOM|"
    "SECONDS|SHELLOPTS|SRANDOM|UID|_"
)
LOCALE = ("LC_", "LANG")
OUTPUT = "GORCH_OUTPUT"
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
    exports = [_export(name, value) for name, value in work.env.items() if name != OUTPUT]
    sent = b"" if content is None else b"_prog=$_script\n"
    path = b"_path=" + (quoted(work.env["PATH"]) if "PATH" in work.env else b"${PATH:-}")
    run = b" ".join([b"launch", *map(quoted, work.args)]) if work.wanted is None else b"source_it"
    return b"\n".join(
        [
            b"node_put() {",
            b":" if content is None else _put(content),
            b"}",
            b"node_env() {",
            f'export {OUTPUT}="$_d/output"'.encode(),  # first: what follows may be named like ours
            *exports,
            b"}",
            b"node_run() {",
            path,
            sent + run,
            b"}",
        ]
    )


def _put(content: bytes) -> bytes:
    if b"\0" not in content:
        return b"printf %s " + _enclosed(content) + b' >"$1" && chmod 700 "$1"'
    lines = b64encode(content)
    return b'base64 -d >"$1" <<\\END && chmod 700 "$1"\n' + lines + b"\nEND"


def _export(name: str, value: str) -> bytes:
    if not NAME.fullmatch(name):
        raise Unsendable(f"{name[:100]!r} cannot be a variable of a shell: letters, digits and underscore")
    if SHELLS.fullmatch(name):
        raise Unsendable(f"the variable {name} cannot be given to another host: shells there set it themselves")
    text = f"export {name}=".encode() + quoted(value)
    # bash says there that it has no such locale; whether that matters is up to the program.
    return text + b" 2>/dev/null" if name.startswith(LOCALE) else text


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
