"""The data directory: whose it is, who else may read it, and the room on its disk."""

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil

from gorchestrator.doctor.finding import Finding, Findings

_ROOM = 2**30  # bytes of a disk below which it is said to be getting full
_NO_ROOM = 2**26  # bytes below which a service is about to stop taking work
_INODES = 0.05  # part of a file system's inodes that should be free
_FEW_INODES = 1000
_REMOTE = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "fuse.sshfs")  # how their types begin
_PASSING = ("overlay", "tmpfs", "ramfs")


def check(data: Path) -> Iterator[Finding]:
    """Check a data directory and its disk."""
    told = Findings("permissions", data)
    if not data.exists():
        yield from _to_be_made(data, told)
        return
    yield _owner(data, told)
    yield _mode(data, told)
    yield from _foreign(data)
    yield from disk(data)


def private(files: Path, what: str) -> Iterator[Finding]:
    """Check that the files of a directory are for their owner alone."""
    for path in sorted(files.glob("*")) if files.is_dir() else ():
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.is_file() and mode & 0o077:
            advice = f"chmod 600 {path}"
            yield Findings("permissions", path).fault(f"has mode {mode:03o}: others may read {what}", advice)


def _to_be_made(data: Path, told: Findings) -> Iterator[Finding]:
    place = next(folder for folder in data.absolute().parents if folder.exists())
    if os.access(place, os.W_OK | os.X_OK):
        yield told.ok("is not there yet; the first start makes it")
        yield from disk(place)
    else:
        yield told.fault(
            f"is not there, and this user may not make it in {place}",
            f"make it for the user of the service: install -d -m 700 -o USER {data}",
        )


def _owner(data: Path, told: Findings) -> Finding:
    owner, me = data.stat().st_uid, os.geteuid()
    if owner == me and os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return told.ok(f"belongs to {_user(me)}, who may write it")
    if owner == me:
        return told.fault(f"{_user(me)} may not write it", f"chmod 700 {data}; or its file system is read-only")
    name = _user(owner)
    says = f"belongs to {name}, and this is {_user(me)}"
    advice = f"look with the eyes of the service: sudo -u {name} gorch doctor; or give it to its user: chown -R"
    return told.warning(says, advice) if me == 0 else told.fault(says, advice)


def _mode(data: Path, told: Findings) -> Finding:
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o022:
        return told.fault(f"has mode {mode:03o}: others may put files in the place of its own", f"chmod 700 {data}")
    if mode & 0o055:
        return told.warning(f"has mode {mode:03o}: others may look into it", f"chmod 700 {data}")
    return told.ok(f"has mode {mode:03o}")


def _foreign(data: Path) -> Iterator[Finding]:
    """Tell of files that another user has left, as a command does that root has called."""
    owner = data.stat().st_uid
    for path in sorted(data.iterdir()):
        try:
            found = path.lstat().st_uid
        except FileNotFoundError:
            continue  # it was a file of the moment
        if found != owner:
            yield Findings("permissions", path).fault(
                f"belongs to {_user(found)}, its directory to {_user(owner)}: the service may not write it",
                f"chown {_user(owner)} {path}; call gorch as the user of the service",
            )


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def disk(place: Path) -> Iterator[Finding]:
    """Check the file system of a directory that is there."""
    told = Findings("disk", place)
    found = os.statvfs(place)
    free = found.f_bavail * found.f_frsize
    room = f"{free / 2**20:,.0f} MiB are free"
    advice = "free some space, or keep less: keep_age, keep_count and keep_bytes, gorch gc"
    if free < _NO_ROOM:
        yield told.fault(room, advice)
    else:
        yield told.warning(room, advice) if free < _ROOM else told.ok(room)
    if found.f_files:  # else the file system makes them as it needs them
        yield _inodes(found.f_favail, found.f_files, told)
    yield from _kind(place, told)


def _inodes(free: int, total: int, told: Findings) -> Finding:
    says = f"{free:,} inodes are free, {free / total:.0%}"
    if free < _FEW_INODES:
        return told.fault(says, "remove files: df -i shows where they are")
    if free / total < _INODES:
        return told.warning(says, "remove files: df -i shows where they are")
    return told.ok(says)


def _kind(place: Path, told: Findings) -> Iterator[Finding]:
    kind = _file_system(place)
    if kind.startswith(_REMOTE):
        yield told.fault(
            f"is on a network file system ({kind}), on which locks and SQLite's write-ahead log are not safe",
            "put the data directory on a local disk",
        )
    elif kind in _PASSING:
        yield told.warning(
            f"is on a file system that may not last ({kind})", "put the data directory on a disk or a volume"
        )


def _file_system(place: Path) -> str:
    mounts = {each.mountpoint: each.fstype for each in psutil.disk_partitions(all=True)}
    resolved = place.resolve()
    return next((mounts[str(each)] for each in (resolved, *resolved.parents) if str(each) in mounts), "")
