"""The forms that a secret takes in what programs print: as it is, line by line, and escaped in what they quote it in.

Apart from ``masking``, which hides whatever it is given. What is recognised is JSON as Ansible and most programs write
it, that of Go, which escapes what HTML would take for its own, and what Python shows of a text; each within another one
too, as where one program shows what another has printed.
"""

import re
from collections.abc import Callable, Iterator
from json import JSONEncoder

LEAST = 4  # bytes
LINE_LEAST = 8  # bytes: of a secret of many lines, each one so long is hidden by itself too
#: What somebody escapes.
SPECIAL = re.compile(r"[^ -~]|[\"'&<>\\]")
HTML = str.maketrans({char: f"\\u{ord(char):04x}" for char in "&<>\u2028\u2029"})

_json = JSONEncoder(ensure_ascii=False).encode
_ESCAPES: tuple[Callable[[str], str], ...] = (
    _json,
    JSONEncoder().encode,
    lambda text: _json(text).translate(HTML),
    repr,
)


def of(secret: str) -> Iterator[bytes]:
    """Yield the forms of a secret; some come twice."""
    for part in _parts(secret):
        text = part.decode()
        yield part
        if SPECIAL.search(text):
            once = _escaped(text)
            for form in once.union(*map(_escaped, once)):
                yield form.encode()


def _parts(secret: str) -> Iterator[bytes]:
    whole = secret.encode()
    yield whole
    bare = whole.strip()  # lines are read without their ends
    if len(bare) >= LEAST:
        yield bare
    for line in map(bytes.strip, whole.splitlines()):
        if len(line) >= LINE_LEAST:
            yield line


def _escaped(text: str) -> set[str]:
    return {escape(text)[1:-1] for escape in _ESCAPES}
