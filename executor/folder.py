"""The directory of a job: everything that must outlive the executor, each file written as a whole or not at all."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import FileIO
from typing import Any, TypeVar

from executor import names
from executor.files import open_regular, private, sync, write_atomically
from executor.outcome import Exit, Outcome

T = TypeVar("T")

_DEPTH = 4  # of a job's directory and those above it, up to the data directory


class Folder:
    """Reads and writes the files of one job."""

    def __init__(self, path: str) -> None:
        """``path`` is text, as are those of the files: there are a dozen for each job, and ``Path`` takes its time."""
        self.path = path

    @classmethod
    def create(cls, path: str, node: Mapping[str, Any], *, claimed: bool = False) -> "Folder":
        """Make the directory with what was asked for. Without its ``node.json`` it counts as absent.

        ``claimed``: it is never to be started.

        If that cannot be written, nothing is left of a directory that was not there before.
        """
        fresh = not os.path.lexists(path)
        folder = cls(path)
        try:
            with suppress(FileExistsError):
                os.mkdir(path, 0o700)
            FileIO(folder.log, "a", opener=private).close()  # so that it can be watched from the start
            if claimed:
                folder.claim()
            folder.write(names.NODE, node)
        except OSError:
            if fresh:
                shutil.rmtree(path, ignore_errors=True)
            raise
        return folder

    @property
    def log(self) -> str:
        """What the command prints."""
        return f"{self.path}/{names.LOG}"

    @property
    def output(self) -> str:
        """``$GORCH_OUTPUT``."""
        return f"{self.path}/{names.OUTPUT}"

    def restore(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Make the directory again, which the job has removed, with these files in this order."""
        with suppress(FileExistsError):
            os.mkdir(self.path, 0o700)
        for name, document in documents.items():
            self.write(name, document)

    def workplace(self) -> str:
        """Return the working directory of commands: a place of its own, so that they cannot hit our files unasked."""
        work = f"{self.path}/{names.WORK}"
        if self.claimed_by() is None:  # later it is the job's
            with suppress(FileExistsError):
                os.mkdir(work, 0o700)
        return work

    def script(self, text: str) -> str:
        """Write an inline script; returns its path."""
        return self.keep(names.SCRIPT, text, 0o700)

    def keep(self, name: str, text: str, mode: int = 0o600) -> str:
        """Write a file for a command that is not started yet; returns its path."""
        path = f"{self.path}/{name}"
        if self.claimed_by() is None:  # later it is the job's
            write_atomically(path, text.encode())
            os.chmod(path, mode)
        return path

    def open_to(self, uid: int, gid: int) -> None:
        """Let another user use what is the job's: its directory, its script, its outputs; nothing else is shown."""
        if self.claimed_by() is not None:
            return
        where = self.path
        for _ in range(_DEPTH):
            os.chmod(where, 0o711)  # noqa: S103  (to pass through, not to look around)
            where = os.path.dirname(where)
        with suppress(FileExistsError):
            FileIO(self.output, "x", opener=private).close()
        for name in (names.WORK, names.SCRIPT, names.OUTPUT, names.LOG):
            with suppress(FileNotFoundError):
                os.chown(f"{self.path}/{name}", uid, gid, follow_symlinks=False)

    def claim(self, claimant: str = names.NOBODY, sync: Callable[[str], object] = sync) -> bool:
        """Take the right to start the job without a shim, for good; False: somebody was faster.

        By default it is not started at all then. ``sync`` makes the claim survive a loss of power.
        """
        try:
            os.symlink(claimant, f"{self.path}/{names.CLAIM}")
        except FileExistsError:
            return False
        except FileNotFoundError:
            return True  # without its directory nobody can start it
        sync(self.path)
        return True

    def claimed_at(self) -> float | None:
        """Return when the job was claimed."""
        try:
            return os.lstat(f"{self.path}/{names.CLAIM}").st_mtime
        except OSError:
            return None

    def claimed_by(self) -> str | None:
        """Return the pid of the shim that started the job, ``names.NOBODY``, or None."""
        try:
            return os.readlink(f"{self.path}/{names.CLAIM}")
        except OSError:
            return None

    def process(self) -> str | None:
        """Return what its shim wrote of the main process: see ``proc.identity``."""
        try:
            return os.readlink(f"{self.path}/{names.PROCESS}")
        except OSError:
            return None

    def exit(self) -> Exit | None:
        """Return how the command ended, if its shim has written that."""
        return _made(Exit.from_record, self.read(names.EXIT))

    def result(self) -> Outcome | None:
        """Return how the attempt ended, if it has."""
        return _made(Outcome.from_json, self.read(names.RESULT))

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a JSON file of ours; what was torn by a power cut, or replaced by the job, counts as absent."""
        try:
            with open_regular(f"{self.path}/{name}") as file:
                document = json.loads(file.readall())
        except (OSError, ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a JSON file."""
        write_atomically(f"{self.path}/{name}", json.dumps(document).encode())


def _made(make: Callable[[dict[str, Any]], T], document: dict[str, Any] | None) -> T | None:
    """Make what a document says; None if it is not there, or says something else: a job may have written it."""
    try:
        return None if document is None else make(document)
    except (KeyError, TypeError, ValueError):
        return None
