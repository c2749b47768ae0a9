"""Settings that change while a service runs: the file is read again, refused as a whole or taken into use.

Who starts a service by ``gorch`` asks for it by a signal to gunicorn's main process; under gunicorn by hand, where
those signals mean something else, the workers look at the file. Either way one process judges the file and tells of it
in the log, and all take from the :class:`~gorchestrator.common.board.Board` what it has accepted. Nothing here knows a
particular service.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import gevent

from gorchestrator.common import serving
from gorchestrator.common.board import Board, Stamp, stamp_of
from gorchestrator.common.settings import Loaded, SettingsError, spec
from gorchestrator.common.sinks.settings import LOGS

S = TypeVar("S")
Act = Callable[[S], object]
LOOK = 1.0  # seconds between two looks
SETTLED = 0.2  # seconds that a file stays as it is before it is read: who writes it may be at it

log = logging.getLogger(__name__)


class Read(Protocol[S]):
    """Reads the settings: those of the file, or of ``text`` as if the file said that. Raises SettingsError."""

    def __call__(self, *, text: str | None = None, before: S | None = None) -> Loaded[S]:
        """``before``: settings that are in force, of which only those may change that can while a service runs."""


class Changes(Generic[S]):
    """Who is told which settings have changed: the one place of a service that takes new ones into use."""

    def __init__(self) -> None:
        self._acts: list[tuple[frozenset[str], Act[S]]] = []

    @property
    def names(self) -> frozenset[str]:
        """All settings that somebody takes into use."""
        return frozenset().union(*(names for names, _ in self._acts))

    def on(self, *names: str, act: Act[S]) -> None:
        """Call ``act`` with all settings when one of ``names`` has another value."""
        self._acts.append((frozenset(names), act))

    def apply(self, names: Iterable[str], settings: S) -> None:
        """Take the new values of ``names`` into use; where that fails, the others still are."""
        changed = set(names)
        for mine, act in self._acts:
            if mine.isdisjoint(changed):
                continue
            try:
                act(settings)
            except Exception:
                told = ", ".join(sorted(mine & changed))
                log.exception("the new values of %s cannot be used", told, extra={"event": "settings_fault"})


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of reading settings again: those that have changed, those that wait for a restart; or the faults."""

    file: Path | None
    changed: Sequence[str] = ()
    waiting: Sequence[str] = ()
    faults: Sequence[str] = ()


class Reloading(Generic[S]):
    """The settings of a service as they are in force; made before gunicorn forks, and then used by each process."""

    def __init__(self, read: Read[S], *, by_signal: bool = False) -> None:
        """Read the settings for the first time; raises SettingsError. ``by_signal``: nobody looks at the file."""
        self._read = read
        self._by_signal = by_signal
        self._first = read()
        self._board = Board(self._first.text)
        self._changes: Changes[S] = Changes()
        self._report: Act[Judged] = _nobody
        self._seen = 0
        self.settings = self._first.value

    @property
    def file(self) -> Path | None:
        """The file of the settings, if there is one."""
        return self._first.file

    def begin(self) -> S:
        """Return the settings in force, for a process that starts now; those that need a restart as they were."""
        with self._board.mine():
            self._seen, text = self._board.text()
        self.settings = self._read(text=text, before=self._first.value).value
        return self.settings

    def follow(self, changes: Changes[S]) -> None:
        """Have what changes taken into use from now on, by :meth:`reload` or by :meth:`watch`."""
        self._changes = changes
        self._catch_up()

    def report(self, act: Act[Judged]) -> None:
        """Have ``act`` called when this process, for all others, judged settings that have changed or are faulty."""
        self._report = act

    def watch(self) -> None:
        """Look at the file each second from now on, or only at what the main process has accepted."""
        gevent.spawn(self._watch)

    def reload(self) -> None:
        """Read the file again because somebody wants it."""
        with self._board.mine():
            judged = self._judge(self._stamp(), wanted=True)
        self._catch_up()
        self._tell_of(judged)

    def look(self) -> None:
        """Read the file again if it has changed, and take into use what was accepted."""
        judged = None
        if not self._by_signal and self._first.file and (stamp := self._stamp()) != self._board.stamp:
            gevent.sleep(SETTLED)
            if stamp == self._stamp():
                with self._board.mine():
                    if stamp != self._board.stamp:
                        judged = self._judge(stamp, wanted=False)
        self._catch_up()
        self._tell_of(judged)

    def _watch(self) -> None:
        while True:
            try:
                self.look()
            except Exception:
                log.exception("looking at the settings failed; it begins again", extra={"event": "settings_fault"})
            gevent.sleep(LOOK)

    def _stamp(self) -> Stamp:
        return stamp_of(self._first.file) if self._first.file else Stamp()

    def _judge(self, stamp: Stamp, *, wanted: bool) -> Judged | None:
        _, text = self._board.text()
        try:
            found = self._read(before=self._first.value)
        except SettingsError as error:
            self._board.note(stamp)
            extra = {"event": "settings_refused", "faults": list(error.faults)}
            log.error("the settings stay as they are, the new ones cannot be used: %s", error, extra=extra)
            return Judged(self._first.file, faults=error.faults)
        if found.text == text and not wanted:
            self._board.note(stamp)
            return None
        self._board.post(found.text, stamp)
        names = list(changed(self._read(text=text, before=self._first.value).value, found.value))
        _tell(names, found)
        return Judged(self._first.file, names, list(found.waiting)) if names or found.waiting else None

    def _tell_of(self, judged: Judged | None) -> None:
        if judged is not None:
            try:
                self._report(judged)
            except Exception:
                log.exception("nobody could be told of the settings", extra={"event": "settings_fault"})

    def _catch_up(self) -> None:
        if self._board.count == self._seen:
            return
        before = self.settings
        after = self.begin()
        names = list(changed(before, after))
        self._changes.apply(names, after)
        told = ", ".join(names) or "nothing new"
        log.debug("taken into use: %s", told, extra={"event": "settings_taken", "settings": names})


_inherited: list[Reloading[Any]] = []


def prepare(read: Read[S], *, by_signal: bool) -> Reloading[S]:
    """Read the settings in gunicorn's main process: workers go on with them. Raises SettingsError."""
    made = Reloading(read, by_signal=by_signal)
    _inherited[:] = [made]
    return made


def inherited(read: Read[S]) -> Reloading[S]:
    """Return what the main process has prepared for this worker, or what stands alone where it has not."""
    return _inherited[0] if _inherited else Reloading(read)


def take_signals(server: serving.Arbiter, reloading: Reloading[S], logs: Act[S]) -> None:
    """Have gunicorn's main process read the settings again at SIGHUP and SIGUSR2, in place of what it does then.

    ``logs`` is called with new settings of the log, the only ones that concern this process.
    """
    changes: Changes[S] = Changes()
    changes.on(*LOGS, act=logs)
    reloading.follow(changes)

    def reload() -> None:
        try:
            reloading.reload()
        except Exception:
            log.exception("reading the settings again failed", extra={"event": "settings_fault"})

    server.handle_hup = server.handle_usr2 = reload


def is_asked_by_signal() -> bool:
    """Whether ``gorch`` has become this gunicorn; says so once, and the programs that it starts are not told."""
    return os.environ.pop(serving.COMMANDED, None) is not None


def _nobody(_: Judged) -> None:
    """Tell nobody."""


def changed(before: Any, after: Any) -> Iterator[str]:
    """Return the names of the settings that differ."""
    for entry in fields(after):
        if getattr(before, entry.name) != getattr(after, entry.name):
            yield entry.name


def live(cls: type) -> frozenset[str]:
    """Return the names of the settings that can change while the service runs."""
    return frozenset(entry.name for entry in fields(cls) if spec(entry).live)


def _tell(names: list[str], found: Loaded[Any]) -> None:
    told = f"changed: {', '.join(names)}" if names else "nothing has changed"
    log.info("the settings were read again; %s", told, extra={"event": "settings_reloaded", "settings": names})
    if found.waiting:
        log.warning(
            "these settings change only with a restart: %s",
            ", ".join(found.waiting),
            extra={"event": "settings_need_restart", "settings": list(found.waiting)},
        )
