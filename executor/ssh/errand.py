"""One job on another host, from its start to its end, whatever becomes of connections and of this executor meanwhile.

What is written down here, in the job's directory, is that it was seen to run, and how it ended: so a job whose
directory is gone from the host is lost and not started again, and nothing is removed there that is not known here.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import gevent

from executor.drivers.base import Job
from executor.files import write_atomically
from executor.inside import TIMEOUT, Interrupted
from executor.ssh import request
from executor.ssh.channel import Channel, Lost, Speechless, ask
from executor.ssh.connections import Connections, Line
from executor.ssh.faults import NoConnection
from executor.ssh.hosts import HostsFault
from executor.ssh.request import Work

log = logging.getLogger(__name__)

NOTES = "ssh.json"
FIRST, LONGEST = 0.1, 5.0  # seconds between two tries to reach a host
SOON = 30.0  # seconds in which a host removes a job's directory
LATER = (0.5, 5.0, 30.0, 120.0, 600.0)  # seconds between the tries to have that done, if the connection broke
AWAY = (NoConnection, HostsFault, Speechless, Lost)


class CannotStart(Exception):
    """Nothing was started there; the text says why. ``reached``: the host was."""

    def __init__(self, text: str, *, reached: bool = False) -> None:
        super().__init__(text)
        self.reached = reached


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended. ``code`` None: nobody knows. ``fault``: why its program could not be run."""

    code: int | None
    fault: str = ""
    values: Mapping[str, str] | None = None  # variables at its end
    too_much: bool = False  # its file of outputs is too large


class Errand:
    """Runs in the job's greenlet."""

    def __init__(self, connections: Connections, job: Job, target: str, grace: float) -> None:
        """``grace``: seconds between TERM and KILL."""
        self._connections = connections
        self._job = job
        self._target = target
        self._grace = grace
        self._notes: dict[str, Any] = dict(job.read(NOTES) or {})
        self._asked = False  # somebody may have started it

    def run(self, work: Callable[[], Work]) -> Ending:
        """Return how it ended; then nothing of it is left, save what success left running.

        ``work`` says what to start; of what runs already that may not be known any more. Raises what ``work`` raises,
        :class:`CannotStart`, and Interrupted when it is dead.
        """
        if "ending" not in self._notes:
            self._asked = not self._job.begin()
            try:
                with self._job.interruptible():
                    return self._until_end(work)
            except Interrupted as stop:
                if "ending" not in self._notes:
                    if not self._asked or self._end(self._in_time(stop.cause)):
                        raise
                    return self._until_end(work)
        ending = Ending(**self._notes["ending"])
        self._settle(ending)
        return ending

    def _in_time(self, cause: str) -> float:
        """Return how many seconds it may have taken if it has ended by itself meanwhile."""
        timeout = self._job.attempt.timeout
        return timeout if cause == TIMEOUT and timeout is not None else request.FOREVER

    def _until_end(self, work: Callable[[], Work]) -> Ending:
        pause = FIRST
        while True:
            try:
                return self._follow(work)
            except AWAY as fault:
                if not self._asked:
                    raise CannotStart(str(fault)) from None
                self._away(fault)
            gevent.sleep(pause)
            pause = min(2 * pause, LONGEST)

    def _follow(self, work: Callable[[], Work]) -> Ending:
        size = self._job.log_size
        if self._notes.get("started"):
            asked = request.follow(self._job.id, size, self._grace)
        else:
            asked = request.start(self._job.id, work(), size, self._grace)
        line = self._connections.open(self._target, request.COMMAND)
        first, self._asked = not self._asked, True
        try:
            channel = ask(line, asked)
            ending = self._read(channel)
        except Speechless:
            self._asked = not first
            line.close()
            raise
        except BaseException:
            line.close()
            raise
        self._conclude(line, channel, ending)
        return ending

    def _conclude(self, line: Line, channel: Channel, ending: Ending) -> None:
        """Note how it ended, and have its directory removed, and all that a failure has left."""
        try:
            self._note(ending=asdict(ending))
            channel.say("drop" if ending.code == 0 else "kill")
            if ending.code == 0:
                gevent.spawn(self._see_removed, line)
                return
            self._killed(channel)
        except Lost:
            self._settle(ending)
        finally:
            if ending.code != 0:
                line.close()

    def _read(self, channel: Channel) -> Ending:
        """Take over what it prints, until it ends."""
        found: dict[str, Any] = {}
        while True:
            match channel.line():
                case "end", code:
                    return Ending(int(code), **found)
                case "lost", _:
                    return Ending(None)
                case "fail", why:
                    return self._failed(why)
                case word, rest:
                    self._take(channel, word, rest, found)

    def _take(self, channel: Channel, word: str, rest: str, found: dict[str, Any]) -> None:
        match word:
            case "started":
                self._started()
            case "log":
                channel.copy(int(rest), self._job.write)
            case "output":
                found["too_much"] = not self._keep(channel.bytes(int(rest)))
            case "env":
                found["values"] = _values(channel.bytes(int(rest)))
            case "fault":
                found["fault"] = rest

    def _started(self) -> None:
        self._job.explain(None)
        if not self._notes.get("started"):
            self._note(started=True)

    def _failed(self, why: str) -> Ending:
        if self._notes.get("started"):
            return Ending(None)
        raise CannotStart(f"{self._target}: {why}", reached=True)

    def _keep(self, outputs: bytes) -> bool:
        if len(outputs) > request.MOST:
            return False
        write_atomically(self._job.output_file, outputs)
        return True

    def _settle(self, ending: Ending) -> None:
        """See to it that nothing is left there, whatever an executor before this one has seen of that."""
        if ending.code == 0:
            gevent.spawn(self._have_removed)
        else:
            self._end(None)

    def _end(self, within: float | None) -> bool:
        """Kill it, however long the host is away; False: it had ended by itself ``within`` so many seconds."""
        asked = request.end(self._job.id, self._grace, within)
        pause = FIRST
        while True:
            try:
                line = self._connections.open(self._target, request.COMMAND, urgent=True)
                try:
                    return self._killed(ask(line, asked))
                finally:
                    line.close()
            except AWAY as fault:
                self._away(fault)
            gevent.sleep(pause)
            pause = min(2 * pause, LONGEST)

    def _killed(self, channel: Channel) -> bool:
        while True:
            word, rest = channel.line()
            match word:
                case "survivors":
                    self._job.report([int(pid) for pid in rest.split()])
                case "gone" | "ended":
                    self._job.report([])
                    self._job.explain(None)
                    return word == "gone"
                case "fail":
                    raise Lost(rest)

    def _away(self, fault: Exception) -> None:
        trouble = f"{self._target} is away, and is tried again: {fault}"
        self._job.explain(trouble)
        log.warning("%s: %s", self._job.id, trouble, extra={"event": "ssh_away", "job": self._job.id})

    def _see_removed(self, line: Line) -> None:
        if not line.finish(SOON):
            self._have_removed()

    def _have_removed(self) -> None:
        for pause in LATER:
            try:
                line = self._connections.open(self._target, request.COMMAND)
                try:
                    ask(line, request.forget(self._job.id)).line()
                    return
                finally:
                    line.close()
            except AWAY:
                gevent.sleep(pause)
        extra = {"event": "ssh_not_removed", "job": self._job.id}
        log.warning("%s: its directory is still on %s", self._job.id, self._target, extra=extra)

    def _note(self, **more: Any) -> None:
        self._notes |= more
        write_atomically(self._job.path(NOTES), json.dumps(self._notes).encode())


def _values(text: bytes) -> dict[str, str]:
    pairs = (item.partition(b"=") for item in text.split(b"\0") if item)
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, _, value in pairs}
