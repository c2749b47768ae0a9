"""The executors of the configuration as the engine sees them: which one a node gets, its slots, kills and receipts."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import gevent
from gevent.event import Event

from gorchestrator.client.answers import Info
from gorchestrator.client.api import Certificates, ExecutorApi
from gorchestrator.client.contact import Contact
from gorchestrator.client.faults import CallFault, FenceStale, JobUnknown, Unreachable
from gorchestrator.client.follow import Follower
from gorchestrator.client.slots import Slots
from gorchestrator.common import wire
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.domain.attempts import Attempt, Result
from gorchestrator.domain.errors import Fenced
from gorchestrator.domain.graph import Node
from gorchestrator.domain.ports import Note, Watch

_PATIENCE = 0.5  # seconds that a node waits before its reason says so
_RECEIPTS_PAUSE = 0.5  # seconds in which receipts are collected
_FIRST_PAUSE = 0.1  # seconds until a kill that did not reach its executor is sent again; doubled each time
_KILL_PAUSE = 5.0  # seconds until survivors are killed once more

log = logging.getLogger(__name__)


class RemoteExecutor:
    """One executor: how many attempts it takes, and what becomes of them."""

    def __init__(self, api: ExecutorApi, *, lost_after: float, log_limit: int) -> None:
        self.name = api.name
        self.url = api.url
        self.api = api
        self.contact = Contact(api, self._made)
        self._slots = Slots()
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
        self._slots.resize(max(1, in_flight))
        self.api.resize(max(1, in_flight))

    @property
    def slots(self) -> Slots:
        """Who is in flight towards it from this process, and who waits for that."""
        return self._slots

    def share_with(self, processes: int) -> None:
        """Leave room for the other processes that use it: together no more is in flight than it takes."""
        self._share = max(1, processes)
        if self.contact.info is not None:
            self._made(self.contact.info)

    @contextmanager
    def slot(self, note: Note) -> Iterator[str]:
        """Wait until the executor is reachable and has room in flight; yields its instance id."""
        self._await_contact(note)
        ticket = Event()
        try:
            if self._slots.try_acquire():
                ticket.set()
            elif not self._slots.acquire(ticket, _PATIENCE):
                note(ReasonCode.SLOT, f"waits for a slot on executor {self.name!r} ({self._slots.limit} are taken)")
                ticket.wait()
            info = self.contact.info
            yield info.instance if info else ""
        finally:
            self._slots.give_up(ticket)

    def _await_contact(self, note: Note) -> None:
        waited = False
        while not self.contact.wait(_PATIENCE):
            fault = self.contact.fault
            if fault is not None:
                note(fault.code, f"{fault.reason}; not reachable since {self.contact.since}")
                waited = True
        if waited:
            note(None, None)

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
                self._await_contact(note)
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
        self.contact.stop()
        gevent.killall([*self._condemned.values()])  # who starts next finds by itself what is left
        if self._postman is not None:
            self._postman.kill()
        if self._receipts and self.contact.wait(0):
            with suppress(CallFault):  # the executor keeps what nobody has acknowledged
                self.api.acknowledge(self._receipts[: wire.RECEIPTS_LIMIT])
        self.api.close()


class Fleet:
    """All executors, by name. ``executors`` maps names to URLs; the first one is the default."""

    def __init__(
        self, executors: Mapping[str, str], certificates: Certificates, *, lost_after: float, log_limit: int
    ) -> None:
        self._executors = {
            name: RemoteExecutor(ExecutorApi(name, url, certificates), lost_after=lost_after, log_limit=log_limit)
            for name, url in executors.items()
        }

    def limit(self, *, lost_after: float, log_limit: int) -> None:
        """Have other limits from now on: see :meth:`RemoteExecutor.limit`."""
        for executor in self:
            executor.limit(lost_after=lost_after, log_limit=log_limit)

    def start(self) -> None:
        """Begin to ask all executors about themselves."""
        for executor in self._executors.values():
            executor.contact.start()

    def stop(self) -> None:
        """Close everything; nothing that runs on an executor is touched."""
        for executor in self._executors.values():
            executor.stop()

    def __iter__(self) -> Iterator[RemoteExecutor]:
        return iter(self._executors.values())

    def named(self, name: str) -> RemoteExecutor | None:
        """Return an executor by its name."""
        return self._executors.get(name)

    def choose(self, node: Node) -> RemoteExecutor:
        """Return the executor that is named as the node's target, else the default one that has its engine."""
        found = self.first_for(node.target, node.engine)
        if found is None:
            raise LookupError(f"no executor has the engine {node.engine!r}")
        return found

    def first_for(self, target: str, engine: str) -> RemoteExecutor | None:
        """Return the executor that a node of this target and engine would get now, if there is one."""
        if target in self._executors:
            return self._executors[target]
        able = [executor for executor in self if executor.has(engine)]
        return next((each for each in able if each.contact.wait(0)), able[0] if able else None)  # one in reach, if any

    def share_with(self, processes: int) -> None:
        """Take note of how many processes use these executors, this one included."""
        for executor in self:
            executor.share_with(processes)

    def engines(self) -> Mapping[str, frozenset[str]] | None:
        """Return the engines of all executors, with the fields of a node that each honours.

        None while one of the executors has not been reached yet.
        """
        known: dict[str, frozenset[str]] = {}
        for executor in self._executors.values():
            if executor.contact.info is None:
                return None
            for name, about in executor.contact.info.engines.items():
                known[name] = known.get(name, frozenset()) | frozenset(map(str, about.get("fields") or ()))
        return known
