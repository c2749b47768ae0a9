"""One job on another host, from its start to its end, whatever becomes of connections and of this executor meanwhile.

What is written down here, in the job's directory, is that it was seen to run, and how it ended: so a job whose
directory is gone from the host is lost and not started again, and nothing is removed there that is not known here.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import gevent

from executor.drivers.base import Job
from executor.files import write_atomically
from executor.inside import TIMEOUT, Interrupted
from executor.outcome import Outcome
from executor.ssh import endings, removing, request
from executor.ssh.channel import Channel, Lost, ask
from executor.ssh.connections import Connections, Line
from executor.ssh.endings import Ending
from executor.ssh.faults import NoConnection
from executor.ssh.hosts import HostsFault
from executor.ssh.removing import AWAY
from executor.ssh.request import Work
from gorchestrator.common.states import State

log = logging.getLogger(__name__)

NOTES = "ssh.json"
FIRST, LONGEST = 0.1, 5.0  # seconds between two tries to reach a host
AGAIN = 3  # connections that may break, one after the other, before a host was asked for anything


class CannotStart(Exception):
    """Nothing was started there; the text says why."""


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
        self._twice = False  # somebody else than the line that is open
        self._fault: Exception | None = None  # why it could not be started any more

    def run(self, work: Callable[[], Work]) -> Outcome:
        """Return what became of it; then nothing of it is left, save what success left running.

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
        outcome = endings.outcome(self._job, self._target, Ending(**self._notes["ending"]))
        self._settle(outcome)
        return outcome

    def _in_time(self, cause: str) -> float:
        """Return how many seconds it may have taken if it has ended by itself meanwhile."""
        timeout = self._job.attempt.timeout
        return timeout if cause == TIMEOUT and timeout is not None else request.FOREVER

    def _until_end(self, work: Callable[[], Work]) -> Outcome:
        pause, broken = FIRST, 0
        while True:
            try:
                return self._follow(work)
            except AWAY as fault:
                broken += 1
                if not self._asked and not (isinstance(fault, Lost) and broken < AGAIN):
                    raise CannotStart(self._named(fault)) from None
                self._away(fault)
            gevent.sleep(pause)
            pause = min(2 * pause, LONGEST)

    def _follow(self, work: Callable[[], Work]) -> Outcome:
        asked = self._order(work)
        line = self._connections.open(self._target, request.COMMAND)
        try:
            channel = Channel(line)
            channel.greeting()
            self._twice, self._asked = self._asked, True
            channel.ask(asked)
            ending = self._read(channel)
        except BaseException:
            line.close()
            raise
        return self._conclude(line, channel, ending)

    def _order(self, work: Callable[[], Work]) -> bytes:
        size = self._job.log_size
        if self._notes.get("started"):
            return request.follow(self._job.id, size, self._grace)
        try:
            return request.start(self._job.id, work(), size, self._grace)
        except Exception as fault:
            if not self._asked:
                raise
            self._fault = fault  # it may have begun before something of it was taken away
            return request.follow(self._job.id, size, self._grace)

    def _conclude(self, line: Line, channel: Channel, ending: Ending) -> Outcome:
        """Note how it ended, and have its directory removed, and all that a failure has left."""
        handed_on = False
        try:
            self._note(ending=asdict(ending))
            outcome = endings.outcome(self._job, self._target, ending)
            try:
                handed_on = self._dismiss(line, channel, outcome)
            except Lost:
                self._settle(outcome)
        finally:
            if not handed_on:
                line.close()
        return outcome

    def _dismiss(self, line: Line, channel: Channel, outcome: Outcome) -> bool:
        """Tell the host what to do at the end; returns whether somebody else closes the line then."""
        if outcome.state == State.SUCCESS:
            channel.say("drop")
            removing.see(self._connections, self._target, self._job.id, line)
            return True
        channel.say("kill")  # also where it has succeeded itself, and its outputs are too large
        self._killed(channel)
        return False

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
                found["too_much"] = not self._keep(channel.content(int(rest)))
            case "env":
                found["values"] = _values(channel.content(int(rest)))
            case "fault":
                found["fault"] = rest

    def _started(self) -> None:
        self._job.explain(None)
        if not self._notes.get("started"):
            self._note(started=True)

    def _failed(self, why: str) -> Ending:
        if self._notes.get("started"):
            return Ending(None)
        if self._twice:
            self._end(None)
        else:
            self._have_removed()
        raise self._fault or CannotStart(f"{self._target}: {why}")

    def _keep(self, outputs: bytes) -> bool:
        if len(outputs) > request.MOST:
            return False
        write_atomically(self._job.output_file, outputs)
        return True

    def _settle(self, outcome: Outcome) -> None:
        """See to it that nothing is left there, whatever an executor before this one has seen of that."""
        if outcome.state == State.SUCCESS:
            self._have_removed()
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

    def _named(self, fault: Exception) -> str:
        return str(fault) if isinstance(fault, NoConnection | HostsFault) else f"{self._target}: {fault}"

    def _have_removed(self) -> None:
        removing.have(self._connections, self._target, self._job.id)

    def _note(self, **more: Any) -> None:
        self._notes |= more
        write_atomically(self._job.path(NOTES), json.dumps(self._notes).encode())


def _values(text: bytes) -> dict[str, str]:
    pairs = (item.partition(b"=") for item in text.split(b"\0") if item)
    return {name.decode(errors="replace"): value.decode(errors="replace") for name, _, value in pairs}
