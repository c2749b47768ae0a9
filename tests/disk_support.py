"""Disks without room: a small file system that is really full, or a limit that lets no file of a process grow."""

import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import psutil
import pytest

SIZE = 16 * 2**20  # bytes of a file system
PIECES = (2**16, 2**12, 1)  # bytes that are written at once until nothing more goes in


@contextmanager
def mounted(folder: Path) -> Iterator[None]:
    """Mount a small file system at a folder that is made; skips the test where nobody may do that."""
    folder.mkdir(parents=True)
    options = ["-t", "tmpfs", "-o", f"size={SIZE},mode=700", "gorchestrator-test"]
    if shutil.which("mount") is None:
        pytest.skip("a file system of its own cannot be mounted: there is no command mount")
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file system of its own cannot be mounted: {done.stderr.strip()}")
    try:
        yield
    finally:
        # Lazily: what a failed test has left behind may still use it.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Fill the file system of a folder to its last byte; then make room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in PIECES:
            with pytest.raises(OSError, match="No space left"):
                _write_for_ever(file, bytes(size))
    try:
        yield
    finally:
        ballast.unlink()


def _write_for_ever(file: FileIO, piece: bytes) -> None:
    while True:
        file.write(piece)


@contextmanager
def limited(*processes: psutil.Process) -> Iterator[None]:
    """Let no file of these processes grow, as if the disk had no space left; then let all be as before."""
    before = {each.pid: resource.prlimit(each.pid, resource.RLIMIT_FSIZE) for each in processes}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            if psutil.pid_exists(pid):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
