"""The directory of a job: everything that must outlive the executor, each file written as a whole or not at all."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from io import FileIO
from typing import Any, cast

from executor import names
from executor.files import private, write_atomically
from executor.outcome import Exit, Outcome


class Folder:
    """Reads and writes the files of one job."""

    def __init__(self, path: str) -> None:
        """``path`` is text, as are those of the files: there are a dozen for each job, and ``Path`` takes its time."""
        self.path = path

    @classmethod
    def create(cls, path: str, node: Mapping[str, Any]) -> "Folder":
        """Make the directory with what was asked for. Without its ``node.json`` it counts as absent."""
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
        folder = cls(path)
        FileIO(folder.log, "a", opener=private).close()  # so that it can be watched from the start
        folder.write(names.NODE, node)
        return folder

    @property
    def log(self) -> str:
        """What the command prints."""
        return f"{self.path}/{names.LOG}"

    @property
    def output(self) -> str:
        """``$GORCH_OUTPUT``."""
        return f"{self.path}/{names.OUTPUT}"

    def workplace(self) -> str:
        """Return the working directory of commands: a place of its own, so that they cannot hit our files unasked."""
        work = f"{self.path}/{names.WORK}"
        with suppress(FileExistsError):
            os.mkdir(work, 0o700)
        return work

    def script(self, text: str) -> str:
        """Write an inline script; returns its path."""
        path = f"{self.path}/{names.SCRIPT}"
        write_atomically(path, text.encode())
        os.chmod(path, 0o700)
        return path

    def claim(self) -> bool:
        """Take the right to start the job without starting it; False: a shim was faster."""
        try:
            os.symlink(names.NOBODY, f"{self.path}/{names.CLAIM}")
        except FileExistsError:
            return False
        return True

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
        record = self.read(names.EXIT)
        return None if record is None else Exit.from_record(record)

    def result(self) -> Outcome | None:
        """Return how the attempt ended, if it has."""
        document = self.read(names.RESULT)
        return None if document is None else Outcome.from_json(document)

    def read(self, name: str) -> dict[str, Any] | None:
        """Return a JSON file of ours; an empty or torn one (the machine lost power) counts as absent."""
        try:
            with FileIO(f"{self.path}/{name}") as file:
                return cast(dict[str, Any], json.loads(file.readall()))
        except (OSError, ValueError):
            return None

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a JSON file."""
        write_atomically(f"{self.path}/{name}", json.dumps(document).encode())
