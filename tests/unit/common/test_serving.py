import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from gorchestrator.common import serving
from support import PATIENCE, ROOT, clean_environment, wait_until


def test_port_0_takes_a_free_one():
    with serving.listen("127.0.0.1", 0) as sock:
        url = serving.url_of(sock, "http")
        assert url == f"http://127.0.0.1:{sock.getsockname()[1]}"
        with serving.listen("::1", 0) as other:
            assert serving.url_of(other, "https").startswith("https://[::1]:")


@pytest.mark.parametrize(
    ("host", "part"), [("192.0.2.1", "cannot listen on 192.0.2.1 port 0"), ("no.such.host.invalid", "give an address")]
)
def test_an_address_that_is_not_ours(host, part):
    with pytest.raises(serving.ServingError, match=part):
        serving.listen(host, 0)


def test_a_taken_port_is_said_at_once():
    with serving.listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(serving.ServingError, match=f"port {port} on 127.0.0.1 is taken .* --port 0"):
            serving.listen("127.0.0.1", port)


def test_a_port_is_waited_for_until_those_who_hold_it_have_ended():
    with serving.listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        threading.Timer(0.3, sock.close).start()
        begun = time.monotonic()
        with serving.listen("127.0.0.1", port, wait=2 * PATIENCE) as same:
            assert same.getsockname()[1] == port
        assert 0.2 < time.monotonic() - begun < PATIENCE


def test_a_socket_is_adopted():
    with serving.listen("127.0.0.1", 0) as sock, serving.adopt(os.dup(sock.fileno())) as same:
        assert same.getsockname() == sock.getsockname()
        assert same.family == socket.AF_INET


def test_missing_files_name_the_remedy(tmp_path):
    with pytest.raises(serving.ServingError, match=r"tls_ca: there is no file .*; do this"):
        serving.require_files({"tls_ca": tmp_path / "ca.pem"}, "do this")


def test_a_data_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(serving.ServingError, match="name another with --data"):
        serving.make_directory(tmp_path / "file" / "data")


def test_our_packages_are_found_whatever_the_current_directory_holds(tmp_path):
    (tmp_path / "executor.py").write_text("raise SystemExit('the wrong one')")
    command, environment = serving.python("executor", "--settings")
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_child_ends_with_its_parent(tmp_path):
    child = (
        "import os, sys, time; from gorchestrator.common import serving; serving.die_with_parent(int(sys.argv[1]));"
        "open(sys.argv[2], 'w').write(str(os.getpid())); time.sleep(60)"
    )
    parent = (
        "import os, subprocess, sys, time;"
        "subprocess.Popen([sys.executable, '-c', sys.argv[1], str(os.getpid()), sys.argv[2]]); time.sleep(60)"
    )
    note = tmp_path / "pid"
    process = subprocess.Popen([sys.executable, "-c", parent, child, str(note)])
    try:
        pid = int(wait_until(lambda: note.exists() and note.read_text(), what="the child's pid"))
    finally:
        process.kill()
        process.wait()
    wait_until(lambda: not _alive(pid), what="the child's end")


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_gunicorn_halts_for_the_first_of_its_workers_only(tmp_path):
    """Two workers that cannot work end at the same time; gunicorn by itself fails on the second one."""
    (tmp_path / "conf.py").write_text(
        "from gorchestrator.common.serving import halt_once as on_starting\ncontrol_socket_disable = True\n"
    )
    (tmp_path / "never.py").write_text(
        "import os, sys, time\n"
        "open(f'here-{os.getpid()}', 'w').close()\n"
        "while len([name for name in os.listdir() if name.startswith('here-')]) < 2: time.sleep(0.01)\n"
        "sys.exit(3)\n"
    )
    command = [sys.executable, "-m", "gunicorn", "-c", "conf.py", "-w", "2", "-b", "127.0.0.1:0", "never:app"]
    env = clean_environment(PYTHONPATH=str(ROOT))
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 3
    assert "Shutting down: Master" in done.stderr
    assert "Traceback" not in done.stderr
