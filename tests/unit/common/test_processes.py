import os
import subprocess
import sys
from pathlib import Path

from gorchestrator.common import processes
from support import wait_until


def test_a_process_is_told_from_others_and_does_not_change():
    other = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    own = processes.started(os.getpid())
    assert own == processes.started(os.getpid()) != processes.started(other.pid)
    assert own == f"{processes.boot()} {processes.start_ticks(os.getpid())}"
    other.kill()
    # It has ended although nobody has asked for its status yet.
    wait_until(lambda: processes.started(other.pid) is None, what="its end")
    other.communicate()
    assert processes.started(other.pid) is None


def test_a_name_with_brackets_and_blanks_does_no_harm(tmp_path):
    program = tmp_path / "a) Z 1 (b"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"])
    try:
        wait_until(lambda: "a) Z" in Path(f"/proc/{process.pid}/comm").read_text(), what="the program")
        assert processes.start_ticks(process.pid) >= processes.start_ticks(os.getpid())
    finally:
        process.kill()
        process.wait()
