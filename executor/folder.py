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

ABOVE = 3  # directories above a job's, up to the data directory
ALONE, PASS_GROUP, PASS = 0o700, 0o710, 0o711  # who may use a directory; to pass through is not to look around


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
                os.mkdir(path, ALONE)
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
            os.mkdir(self.path, ALONE)
        for name, document in documents.items():
            self.write(name, document)

    def workplace(self) -> str:
        """Return the working directory of commands: a place of its own, so that they cannot hit our files unasked."""
        work = f"{self.path}/{names.WORK}"
        if self.claimed_by() is None:  # later it is the job's
            with suppress(FileExistsError):
                os.mkdir(work, ALONE)
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
        """Let another user use what is the job's: its working directory, its script, its outputs.

        The directory itself lets only that user's group pass, until :meth:`shut`. Those above are of all jobs: anybody
        may pass through them from now on, and find nothing, as they cannot be listed and everything in them is either
        a directory that nobody else may enter or a file of mode 600.
        """
        if self.claimed_by() is not None:
            return
        os.chown(self.path, -1, gid)
        os.chmod(self.path, PASS_GROUP)
        where = self.path
        for _ in range(ABOVE):
            where = os.path.dirname(where)
            os.chmod(where, PASS)
        with suppress(FileExistsError):
            FileIO(self.output, "x", opener=private).close()
        for name in (names.WORK, names.SCRIPT, names.OUTPUT, names.LOG):
            with suppress(FileNotFoundError):
                os.chown(f"{self.path}/{name}", uid, gid, follow_symlinks=False)

    def shut(self) -> None:
        """Let nobody but the executor's user use the directory: the job has ended."""
        with suppress(OSError):  # the job may have removed it
            os.chmod(self.path, ALONE)

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
