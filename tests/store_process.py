"""A process of its own, patched by gevent as the services are, that uses a store as its command line says.

``PATH write TASK COUNT``: writes COUNT changes, several greenlets at once, and prints each that is durable.
``PATH tail LAST``: prints the events that the tailer brings, until there are LAST of them.
``PATH remove AGE``: removes the tasks that ended AGE seconds ago, and prints a line for each step.
``PATH cancel ACTOR COUNT``: submits and cancels COUNT tasks when a line comes, of which the audit has the latter.
``PATH open``: opens the store when a line comes, and prints the last seq.
"""

from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402
import sys  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402

import gevent  # noqa: E402
from gevent.event import Event  # noqa: E402
from gevent.pool import Pool  # noqa: E402

from gorchestrator.domain.audit import Act, Action, Who  # noqa: E402
from gorchestrator.domain.records import EventRow  # noqa: E402
from gorchestrator.domain.retention import Limits  # noqa: E402
from gorchestrator.store import Store  # noqa: E402
from gorchestrator.store.sweeping import Sweep  # noqa: E402
from store_support import accept, node_change  # noqa: E402


def say(*words: object) -> None:
    """Print a line that the parent sees at once."""
    print(*words, flush=True)  # noqa: T201  (the parent reads it)


def write(store: Store, task: str, count: int) -> None:
    """Write changes of one node, each with its number as exit code; a line for each that is durable."""

    def one(number: int) -> None:
        store.journal.write(node_change(0, task=task, exit_code=number))
        say(number)

    pool = Pool(20)
    for number in range(count):
        pool.spawn(one, number)
    pool.join(raise_error=True)


def tail(store: Store, last: int) -> None:
    """Print the number of each event as it comes."""
    done = Event()

    def heard(events: Sequence[EventRow]) -> None:
        for event in events:
            say(event.seq)
            if event.seq >= last:
                done.set()

    stop = store.tailer.listen(heard)
    say("listening")
    done.wait()
    stop()


def cancel(store: Store, actor: str, count: int) -> None:
    """Submit and cancel tasks, several at once."""

    def one(number: int) -> None:
        task = f"{actor}-{number}"
        accept(store, task, size=0)
        store.journal.request_cancel(task, actor, 5.0, Act(Who(actor), Action.CANCEL, task))

    Pool(5).map(one, range(count))


def remove(store: Store, age: float) -> None:
    """Remove what ended so long ago."""
    Sweep(lambda: store.reader.due(Limits(age)), store.journal.maintain, lambda _: say("step")).run()


def main(path: Path, command: str, *arguments: str) -> None:
    """Run one command."""
    if command in {"open", "cancel"}:
        say("ready")
        sys.stdin.readline()
    logging.basicConfig(level=logging.WARNING, stream=sys.stdout)  # what is printed there fails the tests
    store = Store.open(path)
    if command == "write":
        write(store, arguments[0], int(arguments[1]))
    elif command == "tail":
        tail(store, int(arguments[0]))
    elif command == "cancel":
        cancel(store, arguments[0], int(arguments[1]))
    elif command == "remove":
        remove(store, float(arguments[0]))
    else:
        say(store.reader.last_seq())
    store.close()
    # What is left would be a leak; the threads of the store are gone.
    gevent.wait(timeout=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
