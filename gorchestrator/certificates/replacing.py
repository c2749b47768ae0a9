"""Files of a directory are replaced together: at each moment all of them are the old ones, or all are the new ones.

A certificate and its key are two files, and no call renames two. So the old files first become links into a directory
that holds them, below a link that is then turned, in one step, towards the new ones; in the end they are files again.
Whoever is killed in between leaves links that lead to one of both.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_STAGE = ".renewal-"
_NOW = "now"  # in a stage: the link to what holds
_OPEN = 0o755  # a stage's mode, for services that run as another user; its keys are for their owner alone


def replace_together(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files, keys (``*.key``) with mode 600; who owned a file before owns it after. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder):
        _clear(folder)
        stage = Path(tempfile.mkdtemp(prefix=_STAGE, dir=folder))
        stage.chmod(_OPEN)
        try:
            _stage(stage / "new", folder, contents)
            if sum((folder / name).exists() for name in contents) > 1:
                _turn(folder, stage, contents)
            for name in sorted(contents):  # NAME.key before NAME.pem
                os.replace(stage / "new" / name, folder / name)
            _sync(folder)
        finally:
            _clear(folder)


def _turn(folder: Path, stage: Path, contents: Mapping[str, bytes]) -> None:
    """Have what is read under all names be the new, from one moment on."""
    there = [name for name in contents if (folder / name).exists()]
    _stage(stage / "old", folder, {name: (folder / name).read_bytes() for name in there})
    _directory(stage / "next")
    for name in contents:
        os.link(stage / "new" / name, stage / "next" / name)
    _link(Path("old"), stage / _NOW)
    for name in there:
        _link(Path(stage.name) / _NOW / name, folder / name)
    _link(Path("next"), stage / _NOW)


def _stage(place: Path, folder: Path, contents: Mapping[str, bytes]) -> None:
    _directory(place)
    for name, content in contents.items():
        mode = 0o600 if name.endswith(".key") else 0o644
        with open(os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            _keep_owner(folder / name, file.fileno())
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())


def _keep_owner(before: Path, descriptor: int) -> None:
    """Let a service that could read the old key read the new one, when root renews it."""
    try:
        owner = before.stat()
    except FileNotFoundError:
        return
    if os.geteuid() == 0:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _directory(path: Path) -> None:
    path.mkdir()
    path.chmod(_OPEN)


def _link(target: Path, path: Path) -> None:
    new = path.with_name(f"{path.name}.link")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    os.replace(new, path)


def _clear(folder: Path) -> None:
    """Remove what is staged, unless a link still leads there: somebody was killed, and it holds what is read."""
    used = {Path(os.readlink(path)).parts[0] for path in folder.iterdir() if path.is_symlink()}
    for stage in folder.glob(f"{_STAGE}*"):
        if stage.name not in used:
            shutil.rmtree(stage)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time replace files of a directory."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
