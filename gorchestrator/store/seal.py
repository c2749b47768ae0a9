"""The key of the audit, and the end of its chain as it is kept beside the key: both outside of the database.

Who can write the database but not here can neither sign a line nor put an older end in the place of the last one.
"""

import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gorchestrator.domain.audit import KEY_SIZE, End, Key
from gorchestrator.domain.errors import StoreError
from gorchestrator.store.files import sync

_END_SIZE = 1024  # bytes, always, so that a shorter end leaves nothing of a longer one behind
KEY_NAME = "audit.key"


def beside_database(path: Path) -> Path:
    """Return where the key is if no setting names another file."""
    return path.parent / KEY_NAME


def end_file(key: Path) -> Path:
    """Return the file of the end that belongs to a key."""
    return key.with_name(f"{key.name}.end")


class Seal:
    """What signs lines, and knows where the chain has ended. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Read the key, made if there is none: of several processes that start at once all get the same one.

        Raises StoreError.
        """
        self._end = end_file(path)
        try:
            if not path.exists():
                _make(path)
            self.key = Key(path.read_bytes())
            os.close(os.open(self._end, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            told = f"The key of the audit {path}, or {self._end.name} beside it, cannot be used: {error.strerror}."
            raise StoreError(f"{told} Both have to be files that the service can write (audit_key).") from error
        except ValueError as error:
            told = f"{path} is no key of an audit: {error}"
            raise StoreError(f"{told}. Restore it, or move it away: another one is made then.") from error

    def trusts(self, end: End, *, older: bool = False) -> bool:
        """Whether an end of the database is what the service has left there last, or with ``older`` at any time.

        What another key has signed cannot be checked, so it has to be what is kept outside, too, unless nothing is.
        """
        ours, outside = self.key.signed(end), self.outside
        if older:
            return ours or end == End() or (outside is None and end.key != self.key.name)
        if ours:
            return outside is None or not self.key.signed(outside) or outside.number <= end.number
        return end.key != self.key.name and (outside is None or outside == end)

    def pruned_before(self, end: End) -> End:
        """Return an end with what is known to have been pruned: what somebody else has written of it is not."""
        if self.key.signed(end):
            return end
        known = self.outside or End()
        return end._replace(pruned=known.pruned, pruned_mac=known.pruned_mac, pruned_key=known.pruned_key)

    @property
    def outside(self) -> End | None:
        """The end that is kept outside of the database; None: there is none, or it is damaged."""
        return read_end(self._end)

    def keep(self, end: End, *, back: bool = False) -> None:
        """Keep an end outside of the database, unless a later one is there; ``back``: even then."""
        with _locked(self._end) as handle:
            there = _parse(os.pread(handle, _END_SIZE, 0))
            if back or there is None or not self.key.signed(there) or there.number <= end.number:
                os.pwrite(handle, json.dumps(end._asdict()).encode().ljust(_END_SIZE), 0)

    def try_keep(self, end: End) -> None:
        """Keep an end whose line is durable already. On a full disk it stays the older one, which holds too."""
        with suppress(OSError):
            self.keep(end)


def read_key(path: Path) -> Key | None:
    """Return a key, None if there is none. Raises StoreError if it cannot be read."""
    try:
        return Key(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"The key {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise StoreError(f"{path} is no key of an audit: {error}.") from error


def read_end(path: Path) -> End | None:
    """Return the end in a file, None if there is none in it."""
    try:
        return _parse(path.read_bytes())
    except OSError:
        return None


def _parse(text: bytes) -> End | None:
    try:
        return End(**json.loads(text))
    except (ValueError, TypeError):
        return None


def _make(path: Path) -> None:
    """Make a key that appears as a whole, or not if another process was faster."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)  # of mode 600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_SIZE))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink()
    sync(path.parent)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # gevent puts the close off
        os.close(handle)
