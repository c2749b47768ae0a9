"""Parts of the engine docker that need no daemon."""

import struct
import sys
from pathlib import Path

import pytest

from executor.config import Config
from executor.drivers.docker import Docker, endings, frames

RUN = {
    "Status": "exited",
    "ExitCode": 3,
    "StartedAt": "2026-11-22T17:12:10.5Z",
    "FinishedAt": "2026-11-22T17:12:11.25Z",
}


def frame(payload: bytes, stream: int = 1) -> bytes:
    return struct.pack(">B3xL", stream, len(payload)) + payload


@pytest.mark.parametrize("size", [1, 3, 7, 8, 9, 1000])
def test_frames_are_found_however_the_stream_is_cut(size: int) -> None:
    whole = b"".join([frame(b"out\n"), frame(b""), frame(b"err\n", 2), frame(b"x" * 500)])
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert b"".join(frames.payloads(pieces)) == b"out\nerr\n" + b"x" * 500


def test_a_frame_that_is_cut_off_is_left_out() -> None:
    assert list(frames.payloads([frame(b"whole"), frame(b"cut off")[:-1]])) == [b"whole"]


def test_without_the_sdk_the_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "docker"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "docker", None)
    assert Docker(Config(data=tmp_path)).check() == "engine docker needs: pip install gorchestrator-oaas[docker]"


def test_an_end_has_the_times_of_the_daemon() -> None:
    ended = endings.noted(RUN, "exit", 5.0)
    assert ended["stopped_at"] - ended["started_at"] == pytest.approx(0.75)
    assert endings.noted({}, "cancel", 5.0)["started_at"] == 5.0
    never = endings.noted({"StartedAt": "0001-01-01T00:00:00Z"}, "cancel", 5.0)
    assert never["started_at"] == 5.0


def test_an_end_is_not_before_the_start() -> None:
    ended = endings.noted(RUN | {"FinishedAt": "2026-11-22T17:12:10.4Z"}, "exit", None)
    assert ended["stopped_at"] == ended["started_at"]
