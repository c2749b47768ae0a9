"""Trace contexts: which of them are handed on, and ids that follow from names."""

import pytest

from gorchestrator.common.traceparent import span_of, trace_of, valid, written

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SOUND = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("text", "handed_on"),
    [
        (SOUND, SOUND),
        (f" {SOUND}\t", SOUND),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"cc-{TRACE}-{SPAN}-01", SOUND),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-brings", SOUND),
        (None, None),
        ("", None),
        (f"{SOUND}-more", None),
        (f"{SOUND}0", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{32 * '0'}-{SPAN}-01", None),
        (f"00-{TRACE}-{16 * '0'}-01", None),
        (f"00-{TRACE}-{SPAN}", None),
        (f"00-{TRACE}-{SPAN}-01\nX: y", None),
        (f"cc-{TRACE}-{SPAN}-01-{300 * 'x'}", None),
        (f"00-{TRACE[:-1]}\N{ARABIC-INDIC DIGIT ONE}-{SPAN}-01", None),
    ],
)
def test_what_is_none_is_as_if_nothing_had_come(text: str | None, handed_on: str | None) -> None:
    assert valid(text) == handed_on


def test_ids_follow_from_names_and_differ_in_all() -> None:
    tasks = ("00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100")
    places = [(), (0,), (1,), (11,), (1, 1), (0, 1), (0, 2)]
    spans = {span_of(task, *place) for task in tasks for place in places}
    assert len(spans) == len(tasks) * len(places)
    assert len({trace_of(task) for task in tasks}) == len(tasks)
    assert span_of(tasks[0], 0, 1) == span_of(tasks[0], 0, 1)


@pytest.mark.parametrize("sampled", [True, False])
def test_what_is_written_is_valid(sampled: bool) -> None:
    text = written(trace_of("task"), span_of("task", 0, 1), sampled=sampled)
    assert valid(text) == text
    assert text.endswith("-01" if sampled else "-00")
