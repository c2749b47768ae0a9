"""Settings that are read again: what is judged, who tells of it, and what each process then has."""

import copy
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gorchestrator.common import checks, reload
from gorchestrator.common.board import Board, Stamp, stamp_of
from gorchestrator.common.reload import Changes, Judged, Reloading
from gorchestrator.common.settings import Rule, load, setting


@dataclass(frozen=True)
class Config:
    port: int = setting(80, "port", check=checks.port)
    safe: bool = setting(True, "safe")
    most: int = setting(5, "most", check=checks.at_least(1), live=True)
    names: Mapping[str, str] = setting({}, "names", live=True)
    secret: str = setting("", "secret", live=True)


RULES = (Rule(("safe", "most"), lambda config: "most: too many" if config.safe and config.most > 100 else None),)


@dataclass
class Made:
    """Settings in a file, and what was taken into use of them."""

    file: Path
    reloading: Reloading[Config]
    taken: list[tuple[str, Any]] = field(default_factory=list)

    def write(self, text: str) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.replace(self.file)


def read(file: Path) -> Any:
    return partial(load, Config, "X_", {"X_CONFIG": str(file)}, file_variable="X_CONFIG", rules=RULES)


@pytest.fixture
def made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Made:
    caplog.set_level(logging.INFO)
    file = tmp_path / "x.toml"
    file.write_text("most = 7\n")
    found = Made(file, Reloading(read(file)))
    changes: Changes[Config] = Changes()
    for name in ("most", "names", "secret"):
        changes.on(name, act=lambda new, name=name: found.taken.append((name, getattr(new, name))))
    found.reloading.begin()
    found.reloading.follow(changes)
    return found


def events(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    return {getattr(each, "event", ""): vars(each) for each in caplog.records}


def test_what_has_changed_is_taken_and_told_without_its_value(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    made.write('secret = "hidden-value"\nnames = {a = "b"}\nmost = 7\n')
    made.reloading.look()
    assert made.taken == [("names", {"a": "b"}), ("secret", "hidden-value")]
    assert events(caplog)["settings_reloaded"]["settings"] == ["names", "secret"]
    assert "hidden-value" not in caplog.text
    made.reloading.look()
    assert len(caplog.records) == 1


def test_what_was_judged_is_reported_once_and_a_report_that_fails_hinders_nothing(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    reports: list[Judged] = []
    made.reloading.report(reports.append)
    made.write("most = 8\nport = 81\n")
    made.reloading.look()
    made.reloading.look()
    made.write("most = 0\n")
    made.reloading.look()
    changed, refused = reports
    assert changed == Judged(made.file, ["most"], ["port"])
    assert (refused.file, refused.changed, len(refused.faults)) == (made.file, (), 1)
    made.write("most = 8\n")
    made.reloading.reload()  # as it was
    assert reports == [changed, refused]

    def failing(_: Judged) -> None:
        raise OSError("nobody is there")

    made.reloading.report(failing)
    made.write("most = 9\n")
    made.reloading.look()
    assert made.taken[-1] == ("most", 9)
    assert "nobody is there" in caplog.text


def test_a_setting_that_is_taken_out_has_its_default_again(made: Made) -> None:
    made.write("")
    made.reloading.look()
    assert made.taken == [("most", 5)]


def test_a_file_with_a_fault_is_refused_as_a_whole_with_all_faults(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    made.write('secret = "new"\nmost = 0\nprot = 1\n')
    made.reloading.look()
    assert made.taken == []
    first, second = events(caplog)["settings_refused"]["faults"]
    assert "most" in first
    assert "prot" in second
    made.reloading.look()
    assert len(caplog.records) == 1
    assert made.reloading.settings.most == 7
    made.write("most = 8\n")
    made.reloading.look()
    assert made.taken == [("most", 8)]


@pytest.mark.parametrize("damage", ["gone", "garbage", "folder"])
def test_a_file_that_cannot_be_read_is_refused(made: Made, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    made.file.unlink()
    if damage == "garbage":
        made.file.write_bytes(b"\xff\xfe = [")
    elif damage == "folder":
        made.file.mkdir()
    for _ in range(2):
        made.reloading.look()
    assert [each for each in caplog.records if vars(each)["event"] == "settings_refused"] == caplog.records[:1]
    assert len(caplog.records) == 1
    assert made.taken == []


def test_what_needs_a_restart_stays_and_is_told_each_time(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    for most in (8, 9):
        caplog.clear()
        made.write(f"port = 81\nmost = {most}\n")
        made.reloading.look()
        assert events(caplog)["settings_need_restart"]["settings"] == ["port"]
        assert (made.reloading.settings.port, made.reloading.settings.most) == (80, most)


def test_new_settings_have_to_go_with_those_that_stay(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    made.write("safe = false\nmost = 101\n")
    made.reloading.look()
    assert events(caplog)["settings_refused"]["faults"] == ["most: too many (these need a restart: safe)"]
    assert made.taken == []


def test_a_file_that_only_looks_new_is_not_told_of_but_a_wish_is_answered(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    made.write("most = 7\n")
    made.reloading.look()
    assert caplog.records == []
    made.reloading.reload()
    assert events(caplog)["settings_reloaded"]["settings"] == []
    assert made.taken == []


def test_a_process_that_begins_has_what_was_accepted_last_whatever_the_file_says(made: Made) -> None:
    made.write("port = 81\nmost = 8\n")
    made.reloading.look()
    made.write("most = none\n")
    assert made.reloading.begin() == Config(port=80, most=8)


def test_another_process_follows_and_only_one_tells(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    main = copy.copy(made.reloading)  # as a process that has forked
    main.follow(Changes())
    made.write("most = 8\n")
    main.reload()
    assert events(caplog)["settings_reloaded"]["settings"] == ["most"]
    assert made.taken == []
    caplog.clear()
    made.reloading.look()
    assert made.taken == [("most", 8)]
    assert caplog.records == []


def test_who_is_asked_by_signal_does_not_look_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("")
    reloading = Reloading(read(file), by_signal=True)
    file.write_text("most = 8\n")
    reloading.look()
    assert reloading.settings.most == 5
    reloading.reload()
    assert reloading.settings.most == 8


def test_one_that_cannot_be_taken_into_use_leaves_the_others(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Config) -> None:
        raise OSError("no room")

    changes: Changes[Config] = Changes()
    changes.on("most", act=fail)
    changes.on("most", act=lambda new: made.taken.append(("most", new.most)))
    made.reloading.follow(changes)
    made.write("most = 8\n")
    made.reloading.look()
    assert made.taken == [("most", 8)]
    assert events(caplog)["settings_fault"]["exc_info"]


def test_without_a_file_a_wish_is_answered_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reloading = Reloading(partial(load, Config, "X_", {"X_MOST": "3"}, file_variable="X_CONFIG"))
    reloading.look()
    assert caplog.records == []
    reloading.reload()
    assert events(caplog)["settings_reloaded"]["settings"] == []
    assert reloading.begin().most == 3


def test_a_board_has_the_last_text_however_long_the_one_before_was(tmp_path: Path) -> None:
    board = Board("a" * 10_000)
    board.post("ä", Stamp(1, 2, 3))
    assert (board.text(), board.stamp) == ((2, "ä"), (1, 2, 3))
    board.note(Stamp(4, 5, 6))
    assert (board.text(), board.stamp, board.count) == ((2, "ä"), (4, 5, 6), 2)
    for number in range(100):
        board.post(str(number) * 1000, Stamp())
        assert board.text() == (3 + number, str(number) * 1000)
    board.close()
    assert stamp_of(tmp_path / "none") == Stamp()


def test_what_can_change_is_what_says_so() -> None:
    assert reload.live(Config) == {"most", "names", "secret"}
