"""Twenty graphs run while processes are killed at random: ``python tests/chaos/chaos.py --seconds 120 --seed N``.

Every node appends a line to a ledger. In the end every graph has to be final, every node that succeeded has to be in
the ledger exactly once, and no process may be left. Prints its seed and the counts; the status is 0 if all that holds.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from api_support import FINAL  # noqa: E402  (after the path)
from failures_support import GONE, SUCCESS, House, house  # noqa: E402
from gorchestrator import certificates  # noqa: E402

GRAPHS, LAYERS, WIDTH = 20, 5, 3
CAPACITY = 8  # nodes that run at once
END = 120.0  # seconds after the last kill in which all graphs have to end


@dataclass
class Chaos:
    """One run of it."""

    house: House
    chance: random.Random
    seconds: float
    kills: Counter[str] = field(default_factory=Counter)
    tasks: list[str] = field(default_factory=list)

    def run(self, kills: int) -> dict[str, int]:
        """Submit the graphs, kill at least so many times, and return the counts."""
        plan = self._plan(kills)
        begun = time.monotonic()
        for number, kind in enumerate(plan):
            while len(self.tasks) * len(plan) < GRAPHS * (number + 1):
                self.tasks.append(self.house.submit(*self._graph()))
            due = begun + (number + self.chance.random()) * self.seconds / kills
            time.sleep(max(0.0, due - time.monotonic()))
            self.kills[kind] += self._kinds[kind]()
        self._wait_for_the_end()
        return self._counts()

    def _plan(self, kills: int) -> list[str]:
        """Return what is killed one after another, each kind about equally often."""
        plan = [list(self._kinds)[number % len(self._kinds)] for number in range(kills)]
        self.chance.shuffle(plan)
        return plan

    def _graph(self) -> list[dict[str, object]]:
        """Return a layered graph; the nodes of all keep the executor half busy."""
        longest = self.seconds * CAPACITY / (GRAPHS * LAYERS * WIDTH)
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
        return {
            "orchestrator": self._orchestrator,
            "worker": self._worker,
            "executor": self._executor,
            "keeper": self._keeper,
        }

    def _orchestrator(self) -> int:
        self.house.orchestrator.kill()
        self.house.orchestrator.start()
        return 1

    def _worker(self) -> int:
        return self._kill(self.house.orchestrator.workers())

    def _executor(self) -> int:
        self.house.executor.server.kill()
        self.house.executor.start_server()
        return 1

    def _keeper(self) -> int:
        return self._kill([each for each in self.house.executor.keepers() if _name(each) == "gorch-keeper"])

    def _kill(self, processes: list[psutil.Process]) -> int:
        """Kill one of them at random, and return when it is gone."""
        if not processes:
            return 0
        victim = self.chance.choice(sorted(processes, key=lambda each: each.pid))
        with suppress(psutil.NoSuchProcess):
            victim.kill()
            psutil.wait_procs([victim], 10)
            return 1
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


def left(folder: Path) -> list[int]:
    """Return the pids of processes that have this folder in their command line or are called like ours below it."""
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            if each.status() != psutil.STATUS_ZOMBIE and any(str(folder) in text for text in each.cmdline()):
                found.append(each.pid)
    return found


def chaos(folder: Path, *, seconds: float, seed: int, kills: int) -> tuple[Counter[str], dict[str, int]]:
    """Run it below a folder; returns the kills by kind and the counts. The services are stopped before it looks."""
    certs = folder / "certs"
    certificates.write(certs)
    with house(folder, certs, GORCH_LEASE="1", back={"capacity": str(CAPACITY)}) as place:
        run = Chaos(place, random.Random(seed), seconds)
        counts = run.run(kills)
        place.orchestrator.stop()
        place.executor.server.stop()
        end = time.monotonic() + 20
        while (remaining := left(folder)) and time.monotonic() < end:
            time.sleep(0.1)
        counts["left"] = len(remaining)
    return run.kills, counts


def is_right(counts: dict[str, int]) -> bool:
    """Whether the promises held."""
    whole = counts["final"] == counts["graphs"] == GRAPHS and counts["succeeded"] == counts["nodes"]
    return whole and counts["duplicates"] == counts["lost"] == counts["left"] == 0


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run it as the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="for how long processes are killed")
    parser.add_argument("--seed", type=int, default=None, help="of what is killed when; at random if left out")
    parser.add_argument("--kills", type=int, default=36, help="how many kills")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    say(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        kills, counts = chaos(Path(folder), seconds=options.seconds, seed=seed, kills=options.kills)
    say(f"kills {sum(kills.values())}: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kills.items())))
    say(", ".join(f"{name} {count}" for name, count in counts.items()))
    return 0 if is_right(counts) else 1


def _name(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess):
        return process.name()
    return ""


if __name__ == "__main__":
    sys.exit(main())
