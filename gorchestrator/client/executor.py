"""One executor as the engine sees it: whether it can be reached, its slots, attempts, kills and receipts."""

import logging
from contextlib import suppress

import gevent

from gorchestrator.client.answers import Info
from gorchestrator.client.api import Certificates, ExecutorApi
from gorchestrator.client.contact import Contact
from gorchestrator.client.faults import CallFault, FenceStale, JobUnknown, Unreachable
from gorchestrator.client.follow import Follower
from gorchestrator.client.slots import Slots
from gorchestrator.common import wire
from gorchestrator.common.endpoints import Endpoint
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.domain.attempts import Attempt, Result
from gorchestrator.domain.errors import Fenced
from gorchestrator.domain.ports import Note, Watch

PATIENCE = 0.5  # seconds that a node waits before its reason says so
_RECEIPTS_PAUSE = 0.5  # seconds in which receipts are collected
_FIRST_PAUSE = 0.1  # seconds until a kill that did not reach its executor is sent again; doubled each time
_KILL_PAUSE = 5.0  # seconds until survivors are killed once more

log = logging.getLogger(__name__)


class RemoteExecutor:
    """One executor: how many attempts it takes, and what becomes of them."""

    def __init__(
        self, api: ExecutorApi, *, lost_after: float, log_limit: int, endpoint: Endpoint | None = None
    ) -> None:
        self.name = api.name
        self.endpoint = endpoint or Endpoint(api.url)
        self.api = api
        self.slots = Slots()
        self.slots.pause()  # until it can be reached
        self.contact = Contact(api, self._made, self.slots.pause)
        self.stopped = False
        self._share = 1
        self._lost_after = lost_after
        self._log_limit = log_limit
        self._followers: set[Follower] = set()
        self._receipts: list[str] = []
        self._postman: gevent.Greenlet[..., None] | None = None
        self._condemned: dict[str, gevent.Greenlet[..., None]] = {}

    def _made(self, info: Info) -> None:
        # As many again as it runs at once wait there already when a place gets free; more would only hold connections.
        in_flight = min(info.capacity + min(info.queue, info.capacity), (info.capacity + info.queue) // self._share)
        self.slots.resize(max(1, in_flight))
        self.api.resize(max(1, in_flight))
        self.slots.resume()

    @property
    def url(self) -> str:
        """Where it is."""
        return self.api.url

    @property
    def load(self) -> float:
        """What would be in flight towards it with one attempt more, for each unit of its weight."""
        return (self.slots.used + 1) / self.endpoint.weight

    def share_with(self, processes: int) -> None:
        """Leave room for the other processes that use it: together no more is in flight than it takes."""
        self._share = max(1, processes)
        if self.contact.info is not None and self.contact.wait(0):
            self._made(self.contact.info)

    @property
    def busy(self) -> bool:
        """Whether anything of this process runs there, or is still to be said about it."""
        return bool(self._followers or self._condemned or self._receipts or self.slots.used)

    def move(self, endpoint: Endpoint, certificates: Certificates) -> None:
        """Be as the settings say now; attempts that run are followed where it is called from now on."""
        self.endpoint = endpoint
        if (endpoint.url, certificates) != (self.api.url, self.api.certificates):
            self.api.move(endpoint.url, certificates)
            self.contact.renew()

    def run(self, attempt: Attempt, watch: Watch) -> Result:
        """Start the attempt, or find it again, and follow it to its end. Raises Fenced or NotTaken."""
        follower = Follower(
            attempt,
            watch,
            api=self.api,
            contact=self.contact,
            lost_after=self._lost_after,
            log_limit=self._log_limit,
        )
        self._followers.add(follower)
        try:
            return follower.follow()
        finally:
            self._followers.discard(follower)

    def limit(self, *, lost_after: float, log_limit: int) -> None:
        """Give attempts up after another time, those that run too, and keep more or less of the logs of new ones."""
        self._lost_after, self._log_limit = lost_after, log_limit
        for follower in self._followers:
            follower.lost_after = lost_after

    def await_contact(self, note: Note) -> None:
        """Return when it can be reached; a wait is noted, and its end too."""
        waited = False
        while not self.contact.wait(PATIENCE):
            fault = self.contact.fault
            if fault is not None:
                note(fault.code, f"{fault.reason}; not reachable since {self.contact.since}")
                waited = True
        if waited:
            note(None, None)

    def kill(self, attempt_id: str, fence: int, note: Note) -> None:
        """Return when the death of the attempt is verified; a kill waits for an executor that is away."""
        pause = _FIRST_PAUSE
        while True:
            try:
                view = self.api.delete(attempt_id, fence)
            except FenceStale as fault:
                raise Fenced(fault.reason) from None
            except JobUnknown:
                return
            except Unreachable as fault:
                self.contact.lost(fault)
                note(fault.code, f"the kill waits for its executor: {fault.reason}")
                gevent.sleep(pause)  # it may answer pings, but not this
                pause = min(2 * pause, _KILL_PAUSE)
                self.await_contact(note)
            except CallFault as fault:
                note(fault.code, f"the kill was refused: {fault.reason}")
                gevent.sleep(_KILL_PAUSE)
            else:
                if view.state.final:
                    return
                pids = ", ".join(map(str, view.survivors))
                why = f"processes that cannot be killed: {pids}" if pids else view.reason
                note(ReasonCode.CANCELING, why or "its executor has not verified its death yet")
                gevent.sleep(_KILL_PAUSE)

    def give_up(self, attempt_id: str, fence: int) -> None:
        """Have what may be left of an attempt killed when the executor is back; returns at once."""
        if attempt_id not in self._condemned:
            self._condemned[attempt_id] = greenlet = gevent.spawn(self._kill_when_back, attempt_id, fence)
            greenlet.link_exception(self._failed)

    def _kill_when_back(self, attempt_id: str, fence: int) -> None:
        try:
            self.kill(attempt_id, fence, lambda *_: None)
            ids = {"event": "given_up_killed", "executor": self.name, "attempt_id": attempt_id}
            log.info("what was left of an attempt that was given up is dead", extra=ids)
            self.acknowledge(attempt_id)
        except Fenced as error:  # a newer owner of the run looks after it
            log.info("a kill was left to others: %s", error, extra={"event": "kill_fenced", "executor": self.name})
        finally:
            del self._condemned[attempt_id]

    def has(self, engine: str) -> bool:
        """Whether it has an engine, as far as is known."""
        return self.contact.info is None or engine in self.contact.info.engines

    def ask(self) -> tuple[Info | None, str | None]:
        """Ping it: what it says of itself, or why it does not. The contact learns the same."""
        try:
            info = self.api.ping()
        except CallFault as fault:
            self.contact.lost(fault)
            return None, fault.reason
        self.contact.found(info)
        return info, None

    # -- receipts: many in one call, so that a short node costs one round trip

    def acknowledge(self, attempt_id: str) -> None:
        """Let the executor forget the attempt, soon."""
        self._receipts.append(attempt_id)
        if self._postman is None or self._postman.dead:
            self._postman = gevent.spawn_later(_RECEIPTS_PAUSE, self._send_receipts)
            self._postman.link_exception(self._failed)

    def _send_receipts(self) -> None:
        while self._receipts:
            sent = self._receipts[: wire.RECEIPTS_LIMIT]
            try:
                self.api.acknowledge(sent)
                del self._receipts[: len(sent)]
            except CallFault as fault:
                log.info("receipts wait: %s", fault.reason, extra={"event": "receipts_wait", "executor": self.name})
                gevent.sleep(_KILL_PAUSE)
                continue
            gevent.sleep(_RECEIPTS_PAUSE)

    def _failed(self, greenlet: "gevent.Greenlet[..., None]") -> None:
        log.error("calling an executor failed", exc_info=greenlet.exc_info, extra={"event": "fault"})

    def stop(self) -> None:
        """End what goes on beside the attempts, send the last receipts, and close the connections."""
        self.stopped = True
        self.contact.stop()
        gevent.killall([*self._condemned.values()])  # who starts next finds by itself what is left
        if self._postman is not None:
            self._postman.kill()
        if self._receipts and self.contact.wait(0):
            with suppress(CallFault):  # the executor keeps what nobody has acknowledged
                self.api.acknowledge(self._receipts[: wire.RECEIPTS_LIMIT])
        self.api.close()
