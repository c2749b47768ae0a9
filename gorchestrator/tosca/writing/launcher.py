"""The launcher: a shell script that brings an operation's files along, sets its variables, and becomes its script.

A gorch has one text per node. So where an operation has more than its script (files that it depends on, variables that
are put together of outputs of other nodes, outputs that are variables of the script), the node's text is a launcher. It
needs a POSIX shell, and the program ``base64`` for files that are not plain text.
"""

import base64
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gorchestrator.tosca.model import Artifact, Runtime, Text, Token
from gorchestrator.tosca.writing.values import Escaped, Piece, pieces

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHELLS = {"sh", "bash", "dash", "ash"}
_ENV = {"env", "/usr/bin/env", "/bin/env"}
_LINE = 76  # characters of base64 in a line
_HEAD = """\
#!/bin/sh
set -e
_gorch=${GORCH_OUTPUT%/*}/tosca
"""
_SPLIT = """\
_gorch_token() { # text, separators (each before a character 31), index
    _gorch_part=$(_gorch_text=$1 _gorch_any=$2 _gorch_index=$3 awk 'BEGIN {
        text = ENVIRON["_gorch_text"]; wanted = ENVIRON["_gorch_index"] + 0
        count = split(ENVIRON["_gorch_any"], any, "\\037") - 1 # whole ones, as some awks count bytes
        for (at = 1; at <= length(text); at += width) {
            width = 0
            for (i = 1; i <= count && !width; i++)
                if (substr(text, at, length(any[i])) == any[i]) width = length(any[i])
            if (width) { seen++; continue }
            width = 1
            if (seen == wanted) part = part substr(text, at, 1)
        }
        if (seen < wanted) exit 1
        printf "%s", part
    }') || { echo "part $3 was asked for of '$1', which has fewer" >&2; exit 1; }
}
"""
_ESCAPE = """\
_gorch_json() {
    _gorch_part=$(_gorch_text=$1 awk 'BEGIN {
        for (i = 1; i < 32; i++) special[sprintf("%c", i)] = sprintf("\\\\u%04x", i)
        special["\\""] = "\\\\\\""; special["\\\\"] = "\\\\\\\\"
        text = ENVIRON["_gorch_text"]
        for (at = 1; at <= length(text); at++) {
            each = substr(text, at, 1)
            part = part (each in special ? special[each] : each)
        }
        printf "%s", part
    }')
}
"""


class Composition:
    """Variables that are put together when the script starts. ``args``: the references that it needs, name by name.

    ``names``: those of the variables.
    """

    def __init__(self) -> None:
        self.args: dict[str, Runtime] = {}
        self._lines: list[str] = []
        self.names: list[str] = []
        self._parts = 0

    def add(self, name: str, found: Iterable[Piece]) -> None:
        """Have the variable ``name`` put together of pieces."""
        word = "".join(self._word(each) for each in found)
        self._lines.append(f"{name}={word}")
        self.names.append(name)

    def clear(self) -> None:
        """Have nothing put together."""
        self.args.clear()
        self.names.clear()
        self._lines.clear()

    def lines(self) -> Iterator[str]:
        """Yield what the launcher does for it."""
        text = "\n".join(self._lines)
        if "_gorch_token " in text:
            yield _SPLIT.rstrip("\n")
        if "_gorch_json " in text:
            yield _ESCAPE.rstrip("\n")
        yield from self._lines
        if self.names:
            yield f"export {' '.join(self.names)}"
            yield f"unset {' '.join([*self.args, *self._own()])}"

    def _own(self) -> list[str]:
        return [f"_gorch_{number}" for number in range(1, self._parts + 1) if f"_gorch_{number}" not in self.args]

    def _word(self, piece: Piece | Text) -> str:
        """Return a piece as a word of the shell, after lines that work it out."""
        match piece:
            case str():
                return shlex.quote(piece)
            case Runtime():
                name = self._new()
                self.args[name] = piece
                return f'"${name}"'
            case Token():
                call = f"_gorch_token {self._word(piece.value)} {_separated(piece.separators)} {piece.index}"
            case Escaped():
                call = f"_gorch_json {self._word(piece.value)}"
            case Text():
                return "".join(self._word(each) for each in pieces(piece))
        self._lines.append(call)
        name = self._new()
        self._lines.append(f"{name}=$_gorch_part")
        return f'"${name}"'

    def _new(self) -> str:
        self._parts += 1
        return f"_gorch_{self._parts}"


def _separated(characters: str) -> str:
    return shlex.quote("".join(f"{each}\037" for each in characters))


def interpreter(script: Artifact) -> list[str]:
    """Return the words of the command that runs a script: of its first line, else what its name or type says."""
    content = script.content or b""
    first = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    if first.startswith("#!") and first[2:].strip():
        return first[2:].split()
    python = script.file.lower().endswith(".py") or any(
        "Python" in name for name in (script.type, *script.derived_from)
    )
    return ["/usr/bin/env", "python3"] if python else ["/bin/sh"]


def is_text(content: bytes) -> bool:
    """Whether content can be part of a JSON text and of a script as it is."""
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def launch(
    script: Artifact,
    dependencies: Sequence[Artifact],
    composition: Composition,
    inputs: Iterable[str],
    outputs: Iterable[str],
    *,
    takes_args: bool,
    located: Mapping[str, Artifact],
) -> str:
    """Return the launcher's text.

    ``inputs`` and ``outputs``: names of variables; ``takes_args``: whether the engine hands references over as
    arguments of the program, ``NAME=value``, and not as variables; ``located``: variables that are to say where one of
    the dependencies lies.
    """
    places = _places([script, *dependencies])
    lines = [_HEAD.rstrip("\n")]
    for each in {each.file: each for each in (script, *dependencies)}.values():
        lines.extend(_put(places[each.file], each.content or b""))
    path = places[script.file]
    if takes_args:
        lines.append('[ $# -eq 0 ] || export "$@"')
    lines.extend(f"export {name}={_inside(places[each.file])}" for name, each in located.items())
    lines.extend(composition.lines())
    if dependencies:
        lines.append(f"cd {_inside(posixpath.dirname(path))}")
    lines.append(_become(script, path, set(inputs), sorted(outputs)))
    return "\n".join([*lines, ""])


def _places(artifacts: Sequence[Artifact]) -> dict[str, str]:
    """Return for each file where it goes in one folder, so that files see each other as beside the template."""
    names = {each.file: posixpath.normpath(each.file.replace("\\", "/").lstrip("/")) for each in artifacts}
    above = max(name.split("/").count("..") for name in names.values())
    return {file: posixpath.normpath("_/" * above + name) for file, name in names.items()}


def _put(name: str, content: bytes) -> Iterator[str]:
    """Yield lines that write a file, as it reads if it is text."""
    yield f"mkdir -p {_inside(posixpath.dirname(name))}"
    end = "_GORCH_END"
    if content.endswith(b"\n") and is_text(content):
        text = content.decode()
        while end in text:
            end += "_"
        yield f"cat >{_inside(name)} <<'{end}'"
        yield text[:-1]
    else:
        yield f"base64 -d >{_inside(name)} <<'{end}'"
        yield from _encoded(content)
    yield end
    yield f"chmod 700 {_inside(name)}"


def _encoded(content: bytes) -> Iterator[str]:
    text = base64.b64encode(content).decode()
    for begin in range(0, len(text), _LINE):
        yield text[begin : begin + _LINE]


def _inside(name: str) -> str:
    return f'"$_gorch"/{shlex.quote(name)}' if name else '"$_gorch"'


def _become(script: Artifact, path: str, inputs: set[str], outputs: list[str]) -> str:
    """Return the last line: what this shell becomes."""
    content = script.content or b""
    words = interpreter(script)
    if not is_text(content):
        named = posixpath.splitext(path)[1].lower() in (".py", ".sh", ".bash")
        return f"exec {shlex.join(words)} {_inside(path)}" if named else f"exec {_inside(path)}"
    at = 1 if words[0] in _ENV and len(words) > 1 else 0
    shell = posixpath.basename(words[at])
    if not outputs or shell not in _SHELLS:
        return f"exec {shlex.join(words)} {_inside(path)}"
    if shell == "bash":
        words.insert(at + 1, "--norc")  # below sshd it reads that file, with -c, unasked
    return f"exec {shlex.join(words)} -c {shlex.quote(_watched(inputs, outputs))} {_inside(path)}"


def _watched(inputs: set[str], outputs: Iterable[str]) -> str:
    """Return what a shell runs that writes down which values its variables have at the script's end.

    Lines of $GORCH_OUTPUT and of the log come before: so only a variable that the script has set is written, and one
    that was an input is printed at the start.
    """
    before = ["_gorch_line='", "'"]
    after = []
    for name in outputs:
        if name in inputs:
            before.append(f"printf '%s\\n' \"{name}=${name}\"")
        value = f'"${{{name}+=}}${{{name}-}}"'  # differs for one that is not set and one that is empty
        before.append(f"_gorch_was_{name}={value}")
        after.append(f'[ {value} = "$_gorch_was_{name}" ] || grep -qs \'^{name}=\' "$GORCH_OUTPUT" ||')
        after.append(f"""    printf '%s\\n' "{name}=${{{name}%%"$_gorch_line"*}}" >>"$GORCH_OUTPUT\"""")
    return "\n".join([*before, "_gorch_end() {", *after, "}", "trap _gorch_end EXIT", '. "$0"'])
