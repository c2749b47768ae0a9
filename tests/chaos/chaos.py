"""Twenty graphs run while processes are killed at random: ``python tests/chaos/chaos.py --seconds 120 --seed N``.

Every node appends a line to a ledger. In the end every graph has to be final, every node that succeeded has to be in
the ledger exactly once, and no process may be left. Prints its seed and the counts; the status is 0 if all that holds
and enough was killed of each kind. Several seeds are one run after another, with the same services.
"""

import argparse
import os
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from api_support import FINAL  # noqa: E402  (after the path)
from failures_support import GONE, SUCCESS, House, house  # noqa: E402
from gorchestrator import certificates  # noqa: E402
from support import Server  # noqa: E402

GRAPHS, LAYERS, WIDTH = 20, 5, 3
CAPACITY = 8  # nodes that run at once
END = 120.0  # seconds after the last kill in which all graphs have to end
PATIENCE = 60.0  # seconds in which there is something to kill, and in which what has to end by itself ends
KINDS = ("arbiter", "executor", "keeper", "orchestrator", "worker")
MANY, OF_EACH = 30, 5  # kills of a run that is long enough for them
MARK = "GORCHESTRATOR_CHAOS"  # in the environment of all that this process starts


@dataclass
class Chaos:
    """One run of it."""

    house: House
    chance: random.Random
    seconds: float
    graphs: int = GRAPHS
    kills: Counter[str] = field(default_factory=Counter)
    orphans: int = 0  # workers that did not notice that their gunicorn was killed
    tasks: list[str] = field(default_factory=list)
    more: int = 0  # of them are beyond those that were asked for
    counts: dict[str, int] = field(default_factory=dict)

    def run(self, kills: int) -> None:
        """Submit the graphs, kill so many times, wait for the end of the graphs, and count."""
        plan = self._plan(kills)
        begun = time.monotonic()
        for number, kind in enumerate(plan):
            while (len(self.tasks) - self.more) * len(plan) < self.graphs * (number + 1):
                self.tasks.append(self.house.submit(*self._graph()))
            due = begun + (number + self.chance.random()) * self.seconds / kills
            time.sleep(max(0.0, due - time.monotonic()))
            self.kills[kind] += self._kinds[kind]()
        self._wait_for_the_end()
        self.counts = self._counts() | {"orphans": self.orphans}

    def _plan(self, kills: int) -> list[str]:
        """Return what is killed one after another, each kind about equally often."""
        plan = [list(self._kinds)[number % len(self._kinds)] for number in range(kills)]
        self.chance.shuffle(plan)
        return plan

    def _graph(self) -> list[dict[str, object]]:
        """Return a layered graph; the nodes of all keep the executor half busy."""
        longest = self.seconds * CAPACITY / (self.graphs * LAYERS * WIDTH)
        names = [[f"n{layer}-{place}" for place in range(WIDTH)] for layer in range(LAYERS)]
        found = []
        for layer, row in enumerate(names):
            for name in row:
                seconds = self.chance.uniform(0, longest)
                needs = self.chance.sample(names[layer - 1], 2) if layer else []
                found.append(self.house.node(name, f"sleep {seconds:.2f}", needs=needs))
        return found

    # -- what is killed; each returns how many it has killed

    @property
    def _kinds(self) -> dict[str, Callable[[], int]]:
        return {kind: getattr(self, f"_{kind}") for kind in KINDS}

    def _arbiter(self) -> int:
        """Kill the gunicorn of one of the services alone, and start the service again at once."""
        server = self.chance.choice((self.house.orchestrator, self.house.executor.server))
        assert server.process
        orphans = _children(server)
        server.process.kill()
        server.process.wait()
        Server.start(server)
        self.orphans += len(_survivors(orphans))
        return 1

    def _orchestrator(self) -> int:
        """Kill the orchestrator as a whole; who kills next does not wait until all of it is back."""
        self.house.orchestrator.kill()
        Server.start(self.house.orchestrator)
        return 1

    def _worker(self) -> int:
        return self._kill(lambda: _children(self.house.orchestrator))

    def _executor(self) -> int:
        """Kill the process that has the jobs; its gunicorn starts the next one."""
        return self._kill(lambda: _children(self.house.executor.server))

    def _keeper(self) -> int:
        """Kill the keeper; while idle shims make it needless, only the next executor starts one."""
        if not self._keepers():
            for worker in _children(self.house.executor.server):
                worker.terminate()
            self.tasks.append(self.house.submit(self.house.node("more")))
            self.more += 1
        return self._kill(self._keepers)

    def _keepers(self) -> list[psutil.Process]:
        return [each for each in self.house.executor.keepers() if _name(each) == "gorch-keeper"]

    def _kill(self, victims: Callable[[], list[psutil.Process]]) -> int:
        """Kill one of them at random as soon as there are any, and return when it is gone."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = sorted(victims(), key=lambda each: each.pid)
            if found:
                victim = self.chance.choice(found)
                with suppress(psutil.NoSuchProcess):  # it has ended by itself
                    victim.kill()  # psutil makes sure that it is no other one with the same pid
                    _survivors([victim])
                    return 1
            time.sleep(0.02)
        return 0

    # -- the end

    def _wait_for_the_end(self) -> None:
        end = time.monotonic() + END
        while time.monotonic() < end and not all(self._is_final(task) for task in self.tasks):
            time.sleep(0.2)

    def _is_final(self, task: str) -> bool:
        with suppress(*GONE):
            return int(self.house.api.task(task)["state"]) >= FINAL
        return False

    def _counts(self) -> dict[str, int]:
        ledger = Counter(self.house.ledger.read_text().splitlines())
        found: Counter[str] = Counter({"graphs": len(self.tasks)})
        for task in map(self.house.task, self.tasks):
            found["final"] += task["state"] >= FINAL
            for node in task["nodes"]:
                lines = ledger[f"{task['id']} {node['name']}"]
                found["nodes"] += 1
                found["succeeded"] += node["state"] == SUCCESS
                found["duplicates"] += lines > 1
                found["lost"] += node["state"] == SUCCESS and lines == 0
        return dict(found)


def left(folder: Path, mark: str, tasks: Collection[str]) -> list[int]:
    """Return the pids of what a run has started and what still lives.

    By its command line, in which is the run's ``folder``, or by its environment: ``mark`` is in that of the services
    and of all that inherits theirs, the id of one of the ``tasks`` in that of what nodes start.
    """
    signs = {(MARK, mark), *(("GORCH_TASK_ID", task) for task in tasks)}
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.pid == os.getpid() or not _lives(each):
                continue
            if any(str(folder) in text for text in each.cmdline()) or not signs.isdisjoint(each.environ().items()):
                found.append(each.pid)
    return found


def chaos(folder: Path, seeds: Sequence[int], *, seconds: float, kills: int, graphs: int) -> list[Chaos]:
    """Run it below a folder, once for each seed. The services are stopped before it looks what is left."""
    certs = folder / "certs"
    certificates.write(certs)
    mark = os.environ[MARK] = uuid.uuid4().hex
    with house(folder, certs, GORCH_LEASE="1", back={"capacity": str(CAPACITY)}) as place:
        runs = [Chaos(place, random.Random(seed), seconds, graphs) for seed in seeds]
        for run in runs:
            run.run(kills)
        place.orchestrator.stop()
        place.executor.server.stop()
        end = time.monotonic() + PATIENCE
        tasks = [task for run in runs for task in run.tasks]
        while (remaining := left(folder, mark, tasks)) and time.monotonic() < end:
            time.sleep(0.1)
        for run in runs:
            run.counts["left"] = len(remaining)
    return runs


def is_right(counts: Mapping[str, int], kills: Mapping[str, int], *, graphs: int, planned: int) -> bool:
    """Whether the promises held, and as much was killed as a run of so many planned kills has to show."""
    whole = counts["final"] == counts["graphs"] >= graphs and counts["succeeded"] == counts["nodes"]
    clean = not any(counts[name] for name in ("duplicates", "lost", "orphans", "left"))
    each, in_all = (OF_EACH, MANY) if planned >= MANY else (1, len(KINDS))
    return whole and clean and sum(kills.values()) >= in_all and all(kills.get(kind, 0) >= each for kind in KINDS)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run it as the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="for how long processes are killed")
    parser.add_argument("--seed", type=int, nargs="*", help="of what is killed when; at random if left out")
    parser.add_argument("--kills", type=int, default=40, help="how many kills, of each kind about as many")
    parser.add_argument("--graphs", type=int, default=GRAPHS, help="how many graphs")
    options = parser.parse_args()
    seeds = options.seed or [random.SystemRandom().randrange(2**31)]
    say("seed " + " ".join(map(str, seeds)))
    with tempfile.TemporaryDirectory() as folder:
        runs = chaos(Path(folder), seeds, seconds=options.seconds, kills=options.kills, graphs=options.graphs)
    for run in runs:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(run.kills.items()))
        say(f"kills {sum(run.kills.values())}: {kinds}")
        say(", ".join(f"{name} {count}" for name, count in run.counts.items()))
    right = [is_right(run.counts, run.kills, graphs=options.graphs, planned=options.kills) for run in runs]
    return 0 if all(right) else 1


def _children(server: Server) -> list[psutil.Process]:
    """Return the workers of a server that live."""
    assert server.process
    return [each for each in psutil.Process(server.process.pid).children() if _lives(each)]


def _survivors(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Wait until processes have ended, and return those that have not."""
    end = time.monotonic() + PATIENCE
    while (found := [each for each in processes if _lives(each)]) and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _lives(process: psutil.Process) -> bool:
    """Whether a process is there, and not only its exit status."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _name(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return process.name()
    return ""


if __name__ == "__main__":
    sys.exit(main())
