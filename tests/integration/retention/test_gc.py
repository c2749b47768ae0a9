"""``gorch gc`` beside a service that works."""

import json
from contextlib import closing
from typing import Any

from failures_support import RUNNING, House
from support import run_gorch, wait_until

MIB = 2**20
PRINTED = 4 * MIB
TASKS = 3
SPARE = 5 * MIB  # of the file that stays for what comes next, with all else that is in it
LONG_AGO = 3600


def gc(house: House, *arguments: object) -> dict[str, Any]:
    done = run_gorch("--json", "gc", "--data", house.folder / "orchestrator" / "data", *arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def size(house: House) -> int:
    return (house.folder / "orchestrator" / "data" / "gorchestrator.db").stat().st_size


def printing(house: House) -> str:
    """Return a task that has ended, long ago, and whose log takes its room in the file."""
    task = house.submit(
        house.node("node", f"head -c {PRINTED // 3 * 2} /dev/urandom | od -An -v -tx1 | head -c {PRINTED}")
    )
    house.end(task)
    with closing(house.database()) as database:
        database.execute("PRAGMA busy_timeout = 10000")
        changed = database.execute(
            "UPDATE tasks SET stopped_at = stopped_at - ? WHERE id = ?", (LONG_AGO * 10**6, task)
        )
        assert changed.rowcount == 1
    return task


def test_what_has_ended_goes_and_what_runs_does_not_notice(house: House) -> None:
    running = house.submit(house.node(gate="gc"), house.node("after", needs=["node"]))
    house.has_run(running)
    ended = [printing(house) for _ in range(TASKS)]
    with closing(house.database()) as database:
        database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    before = size(house)
    assert before > TASKS * PRINTED

    told = gc(house, "--dry-run", "--age", LONG_AGO / 2)
    assert (told["dry_run"], told["tasks"], told["file"]) == (True, TASKS, before)
    assert TASKS * PRINTED < told["bytes"] < before
    assert all(house.api.call("GET", f"/v1/tasks/{task}").status == 200 for task in ended)
    assert size(house) == before

    done = gc(house, "--age", LONG_AGO / 2)
    assert (done["dry_run"], done["tasks"]) == (False, TASKS)
    assert [house.api.call("GET", f"/v1/tasks/{task}").status for task in ended] == [404] * TASKS
    wait_until(lambda: size(house) < before - TASKS * PRINTED + SPARE, what="the file is small again")
    assert gc(house, "--age", LONG_AGO / 2, "--count", 1)["tasks"] == 0

    house.shows(running, state=RUNNING)
    assert b"started" in house.log(running)
    house.open("gc")
    house.once(running)
    house.once(running, name="after")
