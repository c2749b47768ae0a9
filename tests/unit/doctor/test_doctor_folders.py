"""Directories, disks and limits as the doctor sees them."""

import os
import resource
import subprocess
import sys

import pytest

from disk_support import filled, mounted
from gorchestrator.doctor import folders, limits
from gorchestrator.doctor.finding import Level

OK, WARNING, FAULT = Level.OK, Level.WARNING, Level.FAULT
root_alone = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def bad(found, check="permissions"):
    return [(each.level, each.says) for each in found if each.level != OK and each.check == check]


@pytest.mark.parametrize(("mode", "level"), [(0o700, OK), (0o750, WARNING), (0o755, WARNING), (0o777, FAULT)])
def test_who_else_may_look_into_the_data(tmp_path, mode, level):
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    assert [each[0] for each in bad(folders.check(data))] == ([] if level is OK else [level])


def test_data_that_is_not_there_yet(tmp_path):
    found = list(folders.check(tmp_path / "one" / "two"))
    assert (found[0].level, found[0].says) == (OK, "is not there yet; the first start makes it")
    assert any(each.check == "disk" and each.subject == str(tmp_path) for each in found)


@root_alone
def test_data_and_files_of_another_user(tmp_path):
    os.chown(tmp_path, 4711, 4711)
    tmp_path.chmod(0o700)
    (tmp_path / "gorchestrator.db-wal").touch()
    (level, says), (other, what) = bad(folders.check(tmp_path))
    assert (level, "belongs to 4711, and this is root" in says) == (WARNING, True)
    assert (other, what.partition(":")[0]) == (FAULT, "belongs to root, its directory to 4711")


def test_secrets_that_others_may_read(tmp_path):
    for name, mode in (("good", 0o600), ("bad", 0o644)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (found,) = folders.private(tmp_path, "this secret")
    assert (found.level, found.subject) == (FAULT, str(tmp_path / "bad"))
    assert list(folders.private(tmp_path / "none", "this secret")) == []


def test_a_full_disk(tmp_path):
    with mounted(tmp_path / "small"), filled(tmp_path / "small"):
        found = bad(folders.check(tmp_path / "small"), "disk")
    assert found[0] == (FAULT, "0 MiB are free")
    assert found[-1] == (WARNING, "is on a file system that may not last (tmpfs)")


@pytest.mark.parametrize(("free", "level"), [(100_000, OK), (2_000, WARNING), (10, FAULT)])
def test_inodes(free, level):
    assert folders._inodes(free, 200_000, folders.Findings("disk", "x")).level is level


@pytest.mark.parametrize(("limit", "level"), [(4096, OK), (1024, WARNING), (200, FAULT)])
def test_the_limit_of_another_process(limit, level):
    code = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline()
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        (found,) = limits.check([process.pid])
        process.stdin.close()
    assert (found.level, found.subject) == (level, f"process {process.pid}")
    assert f"{limit:,}" in found.says
    (own,) = limits.check([process.pid])  # which has ended
    assert own.subject == "what is started here"
