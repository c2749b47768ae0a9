"""The directory of control sockets, which the OpenSSH clients of one executor listen at.

Its path is short enough for sockets (107 bytes), and the same for each start of an executor: so the next one removes
what one that was killed has left. It is made when it is needed and removed when nothing is in it, whoever does that;
who finds it gone makes it again.
"""

import hashlib
import os
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from executor.ssh import mux
from executor.ssh.faults import NoConnection

YOUNG = 60.0  # seconds in which a socket may be of a client that only begins to listen


class Sockets:
    """The directory of an executor that keeps its own data in ``data``."""

    def __init__(self, data: Path) -> None:
        mark = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:12]
        self.path = f"{tempfile.gettempdir()}/gorch-ssh-{os.geteuid()}-{mark}"

    @property
    def there(self) -> bool:
        """Whether there is something to remove some day."""
        return os.path.lexists(self.path)

    def folder(self) -> str:
        """Return the path of the directory, which is there now. Raises NoConnection."""
        with suppress(FileExistsError):
            os.mkdir(self.path, 0o700)
        try:
            ours = self._ours()
        except FileNotFoundError:
            raise NoConnection(f"{self.path} was removed", passing=True) from None
        if not ours:
            raise NoConnection(f"{self.path} is not a directory of this user alone: remove it")
        return self.path

    def tidy(self) -> None:
        """Remove the sockets at which nobody listens any more, and the directory if it is empty then."""
        with suppress(OSError):
            if self._ours():
                for entry in os.scandir(self.path):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > YOUNG and not mux.alive(entry.path):
                        os.unlink(entry.path)
                os.rmdir(self.path)

    def _ours(self) -> bool:
        found = os.lstat(self.path)
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
