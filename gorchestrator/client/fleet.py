"""The executors of the configuration: which of them a node goes to, and what becomes of those that are taken out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

import gevent

from gorchestrator.client import choice, placing
from gorchestrator.client.api import Certificates, Context, ExecutorApi, without_context
from gorchestrator.client.executor import RemoteExecutor
from gorchestrator.common.endpoints import Endpoint, Endpoints
from gorchestrator.domain.graph import Node
from gorchestrator.domain.ports import Note

_LOOK = 5.0  # seconds between two looks whether what ran on an executor that was taken out has ended


class Fleet:
    """All executors, by name, in the order of the configuration."""

    def __init__(
        self,
        endpoints: Endpoints,
        certificates: Certificates,
        *,
        lost_after: float,
        log_limit: int,
        context: Context = without_context,
        recalled: Callable[[str], Endpoint | None] = lambda _: None,
    ) -> None:
        """``certificates``: those of all executors that have none of their own.

        Ask ``recalled`` where one is that the configuration does not name any more.
        """
        self._certificates = certificates
        self._lost_after, self._log_limit = lost_after, log_limit
        self._context = context
        self._recalled = recalled
        #: Called with each executor that a new configuration brings.
        self.joined: Callable[[RemoteExecutor], None] = lambda _: None
        self._share = 1
        self._retired: dict[str, RemoteExecutor] = {}
        self._executors = {name: self._make(name, endpoint) for name, endpoint in endpoints.items()}

    def _make(self, name: str, endpoint: Endpoint) -> RemoteExecutor:
        api = ExecutorApi(name, endpoint.url, self._certificates.of(endpoint), self._context)
        executor = RemoteExecutor(api, endpoint=endpoint, lost_after=self._lost_after, log_limit=self._log_limit)
        executor.share_with(self._share)
        return executor

    # -- life

    def start(self) -> None:
        """Begin to ask all executors about themselves."""
        for executor in self:
            executor.contact.start()

    def stop(self) -> None:
        """Close everything; nothing that runs on an executor is touched."""
        for executor in [*self, *self._retired.values()]:
            executor.stop()

    def limit(self, *, lost_after: float, log_limit: int) -> None:
        """Have other limits from now on: see :meth:`RemoteExecutor.limit`."""
        self._lost_after, self._log_limit = lost_after, log_limit
        for executor in [*self, *self._retired.values()]:
            executor.limit(lost_after=lost_after, log_limit=log_limit)

    def share_with(self, processes: int) -> None:
        """Take note of how many processes use these executors, this one included."""
        self._share = processes
        for executor in self:
            executor.share_with(processes)

    # -- who there is

    def __iter__(self) -> Iterator[RemoteExecutor]:
        return iter(list(self._executors.values()))

    def named(self, name: str) -> RemoteExecutor | None:
        """Return an executor by its name; one that was taken out too, as long as something runs there for us."""
        return self._executors.get(name) or self._retired.get(name)

    def recall(self, name: str) -> RemoteExecutor | None:
        """Return an executor by its name; one that was taken out too, as long as something runs there for anybody."""
        if (found := self.named(name)) is not None or (endpoint := self._recalled(name)) is None:
            return found
        if (found := self.named(name)) is None:  # nobody else has recalled it meanwhile
            found = self._make(name, endpoint)
            self._retire(found)
            self._begin(found)
        return found

    def takes(self, target: str) -> bool:
        """Whether a target is the name of an executor, which then also gets what it would not need to run."""
        return target in self._executors

    def engines(self) -> Mapping[str, frozenset[str]] | None:
        """Return the engines of all executors, with the fields of a node that each honours.

        None while one of the executors has not been reached yet.
        """
        known: dict[str, frozenset[str]] = {}
        for executor in self:
            if executor.contact.info is None:
                return None
            for name, about in executor.contact.info.engines.items():
                known[name] = known.get(name, frozenset()) | frozenset(map(str, about.get("fields") or ()))
        return known

    # -- which one a node gets

    def fitting(self, target: str, engine: str) -> Sequence[RemoteExecutor]:
        """Return the executors that a node of this target and engine may go to. Raises NoExecutor."""
        return choice.fitting(self._executors, target, engine)

    def others(self, target: str, engine: str) -> Mapping[str, str]:
        """Return the executors that a node of this target and engine may not go to, each with the reason."""
        return choice.others(self._executors, target, engine)

    def aim(self, target: str) -> str:
        """Return whom a target is for, as a part of a sentence."""
        return choice.aim(self._executors, target)

    def aims(self, executor: RemoteExecutor) -> frozenset[str]:
        """Return all that :meth:`aim` says of targets that are for an executor."""
        return choice.aims(self._executors, executor)

    def place(self, node: Node, note: Note) -> AbstractContextManager[tuple[RemoteExecutor, str]]:
        """Wait for a slot on an executor for a node; yields it and its instance id. Raises NoExecutor."""
        return placing.placed(lambda: self.fitting(node.target, node.engine), note)

    # -- another configuration

    def replace(self, endpoints: Endpoints) -> None:
        """Have these executors from now on.

        Who is not among them gets nothing new; what runs there is followed to its end. Whose URL or certificates have
        changed is the same executor, which is called there from now on.
        """
        before, self._executors = self._executors, {}
        for name, endpoint in endpoints.items():
            executor = before.pop(name, None) or self._back(name)
            if executor is None:
                executor = self._make(name, endpoint)
                self._begin(executor)
            elif executor.endpoint != endpoint:
                executor.move(endpoint, self._certificates.of(endpoint))
            self._executors[name] = executor
        for executor in before.values():
            self._retire(executor)

    def _begin(self, executor: RemoteExecutor) -> None:
        executor.contact.start()
        self.joined(executor)

    def _retire(self, executor: RemoteExecutor) -> None:
        executor.slots.retire()
        self._retired[executor.name] = executor
        gevent.spawn(self._bury, executor)

    def _back(self, name: str) -> RemoteExecutor | None:
        executor = self._retired.pop(name, None)
        if executor is not None:
            executor.slots.reinstate()
        return executor

    def _bury(self, executor: RemoteExecutor) -> None:
        """Forget an executor when nothing of this process runs there any more."""
        gevent.sleep(_LOOK)
        while self._retired.get(executor.name) is executor:
            if not executor.busy:
                del self._retired[executor.name]
                executor.stop()
                return
            gevent.sleep(_LOOK)
