"""The one command of a job, supervised by a shim: starts it, or finds the one that was started before a restart.

What decides is the claim in the job's directory, which is made once, by the shim that starts the command. Whoever finds
it made looks for that shim, then for the exit that it has written; if there is neither, the job is lost, and what is
found of it is killed.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from executor import leftovers, names
from executor.files import NO_ROOM
from executor.folder import Folder
from executor.outcome import Exit
from executor.supervisor import ShimLink, Supervisor

log = logging.getLogger(__name__)

TRIES = 5  # shims that may die before they start the command


class Command:
    """Runs in the greenlet of its job; :meth:`kill` may be called from any other."""

    def __init__(
        self, job_id: str, folder: Folder, supervisor: Supervisor, grace: float, moved: Callable[[], None]
    ) -> None:
        """``grace``: seconds between TERM and KILL. ``moved`` is called at the start and when there are survivors."""
        self.job_id = job_id
        self.folder = folder
        self.supervisor = supervisor
        self.grace = grace
        self.moved = moved
        self.started_at: float | None = None
        self.survivors: list[int] = []
        self.silent = False  # its shim does not answer
        self.canceling = False
        self.shim: ShimLink | None = None
        self.refusal = "its supervisor died"
        self.env: Mapping[str, str] = {}

    def run(self, order: Mapping[str, Any]) -> Exit:
        """Return how the command ended. ``order``: what a shim needs beside the job (see ``executor.shim``)."""
        self.env = order["env"]
        for _ in range(TRIES):
            claim = self.folder.claimed_by()
            exit = self._start(order) if claim is None else self._find(claim)
            if exit:
                return exit
        return Exit(error=self.refusal)

    def kill(self) -> None:
        """Kill what runs; what would start is not started."""
        self.canceling = True
        if self.shim:
            self._tell(self.shim, "kill")

    def settle(self, *, succeeded: bool) -> None:
        """Let what the command left running live on after success; else kill it, and return when it is dead."""
        if not self.shim:
            return
        if succeeded:
            self._tell(self.shim, "release")
        else:
            self._tell(self.shim, "kill")
            if not self._follow(self.shim, dead=True):
                self._end_leftovers()
        self.detach()

    def detach(self) -> None:
        """Let go of the shim; what it supervises goes on."""
        if self.shim:
            self.shim.close()
        self.shim = None

    def release(self) -> None:
        """Let what was left by a job whose success is already known live on: an executor died before it said so."""
        exit = self.folder.exit()
        if exit and exit.left and self._attach(self.folder.claimed_by() or names.NOBODY):
            self.settle(succeeded=True)

    def _start(self, order: Mapping[str, Any]) -> Exit | None:
        if self.canceling:
            return Exit(cause="cancel") if self.folder.claim() else None
        shim = self.shim = self.supervisor.acquire()
        shim.send({**order, "do": "start", "job": self.job_id, "folder": self.folder.path, "grace": self.grace})
        self.started_at = time.time()
        self.moved()
        return self._follow(shim)

    def _find(self, claim: str) -> Exit | None:
        if shim := self._attach(claim):
            if self.canceling:
                self.kill()
            return self._follow(shim)
        # In this order: a shim ends only when the exit is written.
        if exit := self.folder.exit():
            return exit
        return Exit(cause="cancel") if claim == names.NOBODY else Exit(cause="lost", error=self._end_leftovers())

    def _end_leftovers(self) -> str:
        """Kill what is found of a job whose shim is gone; returns what became of it."""
        found, left = leftovers.end(self.folder.process(), self.env, self.grace)
        if found:
            extra = {"event": "leftovers_killed", "job": self.job_id, "pids": found, "left": left}
            log.warning("%s: its supervisor is gone; killed what it had started", self.job_id, extra=extra)
        if left:
            return f"cannot be killed and still runs: {_listed(left)}"
        return f"killed what was found of it: {_listed(found)}" if found else "nothing was found that still runs"

    def _attach(self, claim: str) -> ShimLink | None:
        if claim == names.NOBODY:
            return None
        self.started_at = self.folder.claimed_at()  # as far as is known
        found = self.supervisor.attach(claim, self.job_id, partial(self._fall_silent, claim))
        self.silent = False
        if not found:
            return None
        self.shim, state = found
        self.started_at, self.survivors = state["started_at"], state["survivors"]
        self.moved()
        return self.shim

    def _fall_silent(self, claim: str) -> None:
        self.silent = True
        extra = {"event": "shim_silent", "job": self.job_id, "pid": claim}
        log.warning("%s: its supervisor, process %s, does not answer", self.job_id, claim, extra=extra)

    def _follow(self, shim: ShimLink, *, dead: bool = False) -> Exit | None:
        """Wait for the end of the command, or until nothing is left of it; None: the shim has no such command."""
        while message := shim.receive():
            match message:
                case {"ended": _, "left": True}:
                    if not dead:
                        return Exit.from_record(message)  # the shim waits for what is to become of the rest
                case {"ended": _}:
                    self.shim = None
                    self.supervisor.give_back(shim)
                    return Exit.from_record(message)
                case {"survivors": survivors}:
                    self.survivors = survivors
                    self.moved()
                case {"refused": refusal, "errno": number}:
                    self.refusal = f"its supervisor refused: {refusal}"
                    if number in NO_ROOM:
                        self.supervisor.give_back(shim)
                        self.shim, self.started_at = None, None
                        raise OSError(number, os.strerror(number))
                    log.warning("%s: %s", self.job_id, refusal, extra={"event": "start_refused", "job": self.job_id})
                    break
        self.detach()
        return None

    def _tell(self, shim: ShimLink, what: str) -> None:
        shim.send({"do": what, "job": self.job_id, "grace": self.grace})


def _listed(pids: Sequence[int]) -> str:
    return ", ".join(map(str, pids))
