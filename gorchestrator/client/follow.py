"""Following one attempt to its end: PUT, then long polls; what is lost on the way is found again or given up."""

import random
import time

import gevent

from gorchestrator.client.answers import JobView
from gorchestrator.client.api import ExecutorApi
from gorchestrator.client.contact import Contact
from gorchestrator.client.faults import CallFault, FenceStale, Full, JobUnknown, Replaced, Unreachable
from gorchestrator.client.log_cursor import LogCursor
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import Attempt, NotTaken, Result
from gorchestrator.domain.errors import Fenced
from gorchestrator.domain.ports import Watch

_FIRST_PAUSE = 0.1  # seconds between two calls in vain to an executor that answers pings; doubled each time
_LAST_PAUSE = 5.0
_POLL = 10.0  # seconds that a GET waits: the longer, the later it shows that nothing comes through any more


class Follower:
    """One attempt on one executor. ``lost_after``: seconds without contact until it is given up, 0 for never.

    It may be changed meanwhile.
    """

    def __init__(
        self, attempt: Attempt, watch: Watch, *, api: ExecutorApi, contact: Contact, lost_after: float, log_limit: int
    ) -> None:
        self._attempt = attempt
        self._watch = watch
        self._api = api
        self._contact = contact
        self.lost_after = lost_after
        self._cursor = LogCursor(watch.log_size, log_limit, watch.log)
        self._view: JobView | None = None
        self._unheard = watch.fresh  # no call about it can have reached the executor that it was decided on for
        self._noted = not watch.fresh  # who followed it before may have noted something
        self._pause = 0.0  # 0 unless the last call was in vain
        self._last_contact = time.monotonic()

    def follow(self) -> Result:
        """Return how the attempt ended.

        Raises Fenced if a newer owner has spoken to the executor, NotTaken if the executor was replaced before it had
        heard of an attempt that is new.
        """
        result = None
        while result is None:
            try:
                self._view = view = self._ask()
            except CallFault as fault:
                result = self._bear(fault)
            else:
                self._last_contact = time.monotonic()
                self._pause = 0.0
                self._tell(view)
                if self._cursor.take(view):
                    result = _result(view)
        return result

    def _bear(self, fault: CallFault) -> Result | None:
        """Wait for what may pass; a result for what does not."""
        if self._watch.given_up:
            return _unverified(f"given up while its executor did not answer: {fault.reason}")
        match fault:
            case Full():
                self._wait_for_room(fault)
                return None
            case Unreachable():
                self._unheard = False
                return self._in_vain(fault) if self._pause else self._without_contact(fault)
            case FenceStale():
                raise Fenced(fault.reason) from None
            case Replaced() if self._unheard:
                self._contact.lost(fault)
                raise NotTaken(fault.reason) from None
            case Replaced() | JobUnknown():
                return Result(State.FAILURE, f"{fault.reason}; death not verified", fault.code)
            case _:
                return Result(State.FAILURE, fault.reason, fault.code)

    def _wait_for_room(self, fault: Full) -> None:
        """Wait as long as it says. It answers, though not to this: it may be full, or be about to stop."""
        self._last_contact = time.monotonic()
        self._note(fault.code, fault.reason, State.TORUN if self._view is None else None)
        self._pause = _FIRST_PAUSE if self._view is not None else 0.0
        # Spread out, so that those who were refused together do not come together again.
        gevent.sleep(fault.retry_after * random.uniform(0.5, 1.5))  # noqa: S311  (no secret)

    def _ask(self) -> JobView:
        if self._view is None:
            return self._api.put(self._attempt)
        # What was told of a fault is taken back by the first answer after it, so that one is not waited for.
        wait = 0 if self._view.state.final or self._pause else _POLL
        return self._api.get(self._attempt.id, self._cursor.wanted(self._view), wait)

    def _tell(self, view: JobView) -> None:
        if view.queued:
            self._note(ReasonCode.SLOT, f"queued on executor {self._api.name!r}", State.TORUN)
        elif view.reason is not None and not view.state.final:
            self._note(ReasonCode.TROUBLE, view.reason, State.RUNNING)
        elif self._noted and not view.state.final:
            self._watch.note(None, None, State.RUNNING)
            self._noted = False

    def _note(self, code: ReasonCode, reason: str, state: State | None = None) -> None:
        self._watch.note(code, reason, state)
        self._noted = True

    def _without_contact(self, fault: CallFault) -> Result | None:
        """Wait until the executor can be reached again; a result if that took too long."""
        self._pause = self._pause or _FIRST_PAUSE
        self._contact.lost(fault)
        while not self._contact.wait(1.0):
            fault = self._contact.fault or fault
            self._note(fault.code, f"{fault.reason}; not reachable since {self._contact.since}")
            if self._watch.given_up:
                return None
            if self._is_lost():
                return self._lost(fault)
        return None

    def _in_vain(self, fault: CallFault) -> Result | None:
        """Let time pass, more each time: the executor answers pings, but not what it is asked about the attempt."""
        self._note(fault.code, fault.reason)
        if self._is_lost():
            return self._lost(fault)
        gevent.sleep(self._pause)
        self._pause = min(2 * self._pause, _LAST_PAUSE)
        return None if self._contact.wait(0) else self._without_contact(fault)

    def _is_lost(self) -> bool:
        return 0 < self.lost_after < time.monotonic() - self._last_contact and not self._watch.canceling

    def _lost(self, fault: CallFault) -> Result:
        silence = time.monotonic() - self._last_contact
        return _unverified(f"no contact for {silence:.0f} s; death not verified: {fault.reason}")


def _unverified(reason: str) -> Result:
    return Result(State.FAILURE, reason, ReasonCode.LOST, verified=False)


def _result(view: JobView) -> Result:
    code = ReasonCode(view.reason_code) if view.reason_code in set(ReasonCode) else None
    return Result(view.state, view.reason, code, view.exit_code, view.output, view.started_at, view.stopped_at)
