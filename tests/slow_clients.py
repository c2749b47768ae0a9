"""Connections that send a byte and then nothing: how long a service keeps each of them. Run as a program of its own.

Arguments: port, number of connections, and what each sends. Prints ``open``, then the seconds until the first and the
last of them were closed.
"""

import resource
import selectors
import socket
import sys
import time

LIMIT = 60.0  # seconds after which what is still open counts as kept


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
