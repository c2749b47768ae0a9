"""The network between the two services breaks, each way that networks break; a proxy between them plays it."""

from concurrent.futures import ThreadPoolExecutor

from executor_support import body, new_id, script
from failures_support import CANCELED, FAILURE, RUNNING, SUCCESS
from proxy_support import DOWN, UP
from support import PATIENCE, wait_until

LARGE = 4000  # bytes; no handshake and no ping is sent in such pieces


def mended(house):
    """Break what is held, let new connections through, and return when the services are in contact."""
    house.proxy.mend()
    house.proxy.hang_up()
    house.in_contact()


def test_network_cut(house):
    task = house.submit(house.node(gate="cut"))
    house.shows(task, state=RUNNING)
    house.has_run(task)
    house.proxy.cut()
    house.shows(task, state=RUNNING, reason="not reachable since")
    waits = house.submit(house.node())
    house.shows(waits, reason="not reachable since")
    house.open("cut")
    wait_until(house.job(task, "result.json").exists, what="it ends while nobody can be told")
    assert house.runs(waits) == 0
    mended(house)
    house.once(task)
    house.once(waits)
    assert house.log(task) == b"started\nended\n"


def test_network_slow(house):
    """Small pieces, each of them late: an answer takes seconds, a handshake too."""
    house.proxy.delay, house.proxy.piece = 0.05, 400
    try:
        task = house.submit(house.node("node", "seq 1000"), house.node("after", needs=["node"]))
        house.once(task)
        house.once(task, name="after")
    finally:
        house.proxy.mend()
    assert house.log(task) == b"".join(b"%d\n" % number for number in range(1, 1001)) + b"ended\n"


def test_network_half_open(house):
    """Connections stay, nothing comes through: what was sent is not answered, and nobody says so."""
    runs = house.submit(house.node(gate="half-open"))
    house.has_run(runs)
    house.shows(runs, state=RUNNING)
    house.proxy.hold(UP, DOWN)
    task = house.submit(house.node())
    house.shows(task, reason="did not answer in time")
    house.shows(runs, state=RUNNING, reason="did not answer in time")
    assert house.runs(task) == 0
    house.open("half-open")
    mended(house)
    house.once(task)
    house.once(runs)


def test_reply_lost(house):
    """The executor has accepted the attempt, and runs it, but the answer does not come back."""
    task, link = held_put(house, DOWN, gate="reply")
    house.has_run(task)
    assert link.held == {DOWN}
    link.stop()
    house.shows(task, state=RUNNING, reason_code=None)
    house.open("reply")
    house.once(task)


def test_duplicate_delivery(house):
    """The same PUT many times at once, then once more after its end, and after its result was put away."""
    job_id = new_id()
    document = body(script(f'echo "$GORCH_TASK_ID $GORCH_NODE" >> {house.ledger}', "sleep 0.2"))

    def put(_):
        session = house.executor.new_session()
        with session:
            return session.put(
                f"{house.executor.server.url}/v1/tasks/{job_id}", json=document, timeout=PATIENCE
            ).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(put, range(16))) <= {200, 202}
    assert house.executor.end(job_id)["state"] == SUCCESS
    assert put(0) == 200
    assert house.executor.call("POST", f"tasks/{job_id}/ack").status_code == 204
    assert put(0) == 200
    assert house.runs(job_id.partition(".")[0]) == 1


def held_put(house, way=UP, **options):
    """Submit a graph whose PUT, or the answer to it, is held on its way; returns its task and the connection."""
    house.proxy.trapped, house.proxy.trap, house.proxy.trap_holds = None, LARGE, way
    task = house.submit(house.node(env={"LARGE": "x" * 2 * LARGE}, **options))
    return task, wait_until(lambda: house.proxy.trapped, what="the PUT is on its way")


def test_delete_overtakes_its_put(house):
    task, link = held_put(house)
    house.api.cancel(task, wait=0)
    wait_until(lambda: house.executor.call("GET", f"tasks/{task}.0.1").status_code == 200, what="the tombstone")
    link.held = set()
    assert house.end(task)["node"]["state"] == CANCELED
    answer = house.executor.get(f"{task}.0.1")
    assert (answer["state"], house.runs(task)) == (CANCELED, 0)


def test_put_arrives_after_its_attempt_was_given_up(house):
    """The worker that sent it has died; the next owner has run the attempt to its end. The old PUT starts nothing."""
    task, link = held_put(house, status=6)
    house.owner(task).kill()
    assert house.once(task, FAILURE)["exit_code"] == 6
    link.held = set()
    wait_until(lambda: not any(thread.is_alive() for thread in link.threads), what="it has arrived and was answered")
    wait_until(lambda: '"status": 409' in house.executor.server.log, what="it was refused")
    house.once(house.submit(house.node()))  # the executor works, and has done what came before
    house.once(task, FAILURE)


def test_put_arrives_after_its_attempt_was_lost(new_house):
    """Nobody could be reached for as long as it may take. What was given up is told first, and the PUT meets that."""
    house = new_house(GORCH_LOST_AFTER="1.5")
    task, link = held_put(house)
    house.proxy.cut(but=link)
    node = house.end(task)["node"]
    assert (node["state"], node["reason_code"], house.runs(task)) == (FAILURE, "lost", 0)
    house.proxy.mend()
    wait_until(lambda: house.executor.call("GET", f"tasks/{task}.0.1").status_code == 200, what="the tombstone")
    link.held = set()
    wait_until(lambda: not any(thread.is_alive() for thread in link.threads), what="it has arrived")
    house.in_contact()
    house.once(house.submit(house.node()))
    assert house.executor.get(f"{task}.0.1")["state"] == CANCELED
    assert house.runs(task) == 0
