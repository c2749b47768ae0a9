"""The database: it counts how often it was asked."""

from pathlib import Path
from threading import Lock

from tier import serve

COUNT = Path("count")
_lock = Lock()


def next_number() -> str:
    """Return the next number, which is kept in a file."""
    with _lock:
        number = int(COUNT.read_text()) + 1 if COUNT.exists() else 1
        COUNT.write_text(f"{number}\n")
    return str(number)


if __name__ == "__main__":
    serve(next_number)
