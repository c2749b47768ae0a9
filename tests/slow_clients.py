"""Connections that send a byte and then nothing: how long a service keeps each of them, and who else has to wait.

As a program of its own it makes them. Arguments: port, number of connections, and what each sends. Prints ``open``,
then the seconds until the first and the last of them were closed.
"""

import resource
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

NUMBER = 1000
KEPT = 30.0  # seconds that a slow connection is kept at the most
QUICK = 0.1  # seconds for another request, which takes milliseconds; on a busy machine longer with and without them
LIMIT = 60.0  # seconds after which what is still open counts as kept


def are_closed_and_hold_nobody_up(port: int, sent: str, at_least: float, ask: Callable[[], object]) -> None:
    """Make them while ``ask`` asks for something; fail unless all are closed in time, and none before ``at_least``."""
    alone = statistics.median(_seconds(ask) for _ in range(20))
    command = [sys.executable, __file__, str(port), str(NUMBER), sent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as clients:
        assert clients.stdout
        assert clients.stdout.readline() == "open\n"
        took = []
        while clients.poll() is None and len(took) < 200:
            took.append(_seconds(ask))
            time.sleep(0.05)
        first, last = map(float, clients.stdout.readline().split())
    assert statistics.median(took) < max(QUICK, 3 * alone)
    assert last < KEPT
    assert first > at_least - 1  # nobody is cut off at once


def _seconds(ask: Callable[[], object]) -> float:
    begun = time.monotonic()
    ask()
    return time.monotonic() - begun


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(port: int, number: int, sent: bytes) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, number + 100), hard))
    watched = selectors.DefaultSelector()
    for _ in range(number):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(sent)
        sock.setblocking(False)
        watched.register(sock, selectors.EVENT_READ, time.monotonic())
    say("open")
    kept: list[float] = []
    end = time.monotonic() + LIMIT
    while watched.get_map() and time.monotonic() < end:
        for key, _ in watched.select(timeout=1):
            try:
                over = not key.fileobj.recv(65536)  # type: ignore[union-attr]  # an answer may come before the end
            except OSError:
                over = True
            if over:
                kept.append(time.monotonic() - key.data)
                watched.unregister(key.fileobj)
    kept += [LIMIT] * len(watched.get_map())
    say(f"{min(kept):.1f} {max(kept):.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode().decode("unicode_escape").encode())
