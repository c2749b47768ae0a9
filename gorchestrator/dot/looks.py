"""How a state looks on a picture: the colours and shapes of the web client, so that both can be read side by side.

They stand here once more, since a picture has to do without style sheets; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gorchestrator.common.states import State

_DISC = "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Z"

_TINT = 0.14  # of the colour, the rest is white


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a state, which never depends on the colour alone.

    ``glyph``: a character; ``light``, ``dark``: its colour on a light and on a dark ground, ``#rrggbb``; ``line``: the
    style of a box in Graphviz; ``path``: its shape, an SVG path on 16 by 16 to be filled with the rule evenodd.
    """

    glyph: str
    light: str
    dark: str
    line: str
    path: str

    @property
    def tint(self) -> str:
        """The colour of a light ground for dark text."""
        channels = (int(self.light[at : at + 2], 16) for at in (1, 3, 5))
        return "#" + "".join(f"{round(255 - (255 - channel) * _TINT):02x}" for channel in channels)


LOOKS: Mapping[State, Look] = {
    State.INITIAL: Look(
        "○",
        "#6b7487",
        "#97a1b4",
        "rounded,filled,dashed",
        f"{_DISC}M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8Z",
    ),
    State.TORUN: Look(
        "◔",
        "#8a6100",
        "#e0ad3c",
        "rounded,filled,dashed",
        f"{_DISC}M8 2.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 8 2.8ZM7.2 4.4h1.6v3.3l2.4 1.4-.8 1.4-3.2-1.9Z",
    ),
    State.RUNNING: Look(
        "▶",
        "#1d5fd0",
        "#74a8ff",
        "rounded,filled,bold",
        f"{_DISC}M6.2 4.6v6.8L11.8 8Z",
    ),
    State.SUCCESS: Look(
        "✓",
        "#09705a",
        "#3fc6a0",
        "rounded,filled",
        f"{_DISC}M11.3 4.9 7 9.4 4.8 7.2 3.6 8.4 7 11.8l5.5-5.7Z",
    ),
    State.FAILURE: Look(
        "✕",
        "#bf3216",
        "#ff8162",
        "filled,bold",
        "M5 1h6l4 4v6l-4 4H5l-4-4V5Z"
        "M5.9 4.7 4.7 5.9 6.8 8l-2.1 2.1 1.2 1.2L8 9.2l2.1 2.1 1.2-1.2L9.2 8l2.1-2.1-1.2-1.2L8 6.8Z",
    ),
    State.NOTRUNNABLE: Look(
        "⊘",
        "#6d6478",
        "#a79bb5",
        "rounded,filled,dotted",
        f"{_DISC}M8 2.8c-1.1 0-2.2.4-3 1l7.2 7.2A5.2 5.2 0 0 0 8 2.8ZM3.8 5A5.2 5.2 0 0 0 11 12.2Z",
    ),
    State.SKIPPED: Look(
        "»",
        "#54708a",
        "#8fb0cc",
        "rounded,filled,dotted",
        "M2 3.2 7 8l-5 4.8V10l2.2-2L2 6ZM8.5 3.2l5 4.8-5 4.8V10l2.2-2-2.2-2Z",
    ),
    State.TIMEOUT: Look(
        "⧗",
        "#8b2fa8",
        "#d593ec",
        "filled,bold",
        "M3 1h10v2.6L9.6 8l3.4 4.4V15H3v-2.6L6.4 8 3 3.6ZM5 13.2h6L8 9.6ZM5.4 2.8 8 6.2l2.6-3.4Z",
    ),
    State.CANCELED: Look(
        "■",
        "#5b5f66",
        "#a9aeb7",
        "filled,dashed",
        "M3.5 1.5h9a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-9a2 2 0 0 1 2-2ZM5 7v2h6V7Z",
    ),
}
