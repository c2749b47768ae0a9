import http.client
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import closing, contextmanager

import psutil
import pytest

from gorchestrator.common.serving import listen
from support import PATIENCE, ROOT, clean_environment, wait_until

APP = """
import socket
import gevent
from pathlib import Path

GATE = Path(__file__).with_name("gate")

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/unread":
        yield b"%d" % environ["gunicorn.socket"].getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        return
    yield b"begun"
    while environ["PATH_INFO"] == "/slow" and not GATE.exists():
        gevent.sleep(0.02)
    yield b"ended"
"""
LONG = 120  # seconds that gunicorn would wait: far more than these tests do


class Gunicorn:
    """A server with our worker, and an application that begins an answer and ends it when it may."""

    def __init__(self, folder, certs, patience):
        self.folder, self.certs = folder, certs
        (folder / "slow_app.py").write_text(APP)
        tls = ["--certfile", certs / "executor.pem", "--keyfile", certs / "executor.key"] if certs else []
        worker = ["-k", "gorchestrator.common.gunicorn_worker.Worker", "--graceful-timeout", str(patience)]
        rest = ["--keep-alive", str(LONG), "--chdir", folder, "--bind", "127.0.0.1:0", "--no-control-socket"]
        command = [sys.executable, "-m", "gunicorn", *worker, *rest, *tls, "slow_app:app"]
        with (folder / "log").open("wb") as log:
            env = clean_environment(PYTHONPATH=str(ROOT))
            self.process = subprocess.Popen(list(map(str, command)), stderr=log, cwd=folder, env=env)
        wait_until(lambda: "Booting worker" in self.log, what="a worker")
        self.port = int(self.log.partition("127.0.0.1:")[2].split()[0])

    @property
    def log(self):
        return (self.folder / "log").read_text()

    def connect(self):
        if self.certs:
            context = ssl.create_default_context(cafile=self.certs / "ca.pem")
            return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=PATIENCE)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def tell_to_stop(self):
        self.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "Handling signal: term" in self.log, what="gunicorn stops")

    def ended(self):
        """Return the log when the server has ended."""
        assert self.process.wait(LONG / 2) == 0
        return self.log


@contextmanager
def serving(folder, certs=None, patience=LONG):
    gunicorn = Gunicorn(folder, certs, patience)
    try:
        yield gunicorn
    finally:
        if gunicorn.process.poll() is None:
            gunicorn.process.send_signal(signal.SIGQUIT)
            gunicorn.process.wait(PATIENCE)


def ask(connection, path="/"):
    connection.request("GET", path)
    return connection.getresponse()


@pytest.fixture(params=["plain", "TLS"])
def gunicorn(request, tmp_path, certs):
    with serving(tmp_path, certs if request.param == "TLS" else None) as found:
        yield found


def test_connections_on_which_nothing_is_asked_do_not_keep_it(gunicorn):
    address = ("127.0.0.1", gunicorn.port)
    with closing(gunicorn.connect()) as idle, socket.create_connection(address) as silent:
        assert ask(idle).read() == b"begunended"
        kept = idle.sock
        gunicorn.tell_to_stop()
        assert "SIGKILL" not in gunicorn.ended()
        assert kept.recv(1) == b""
        assert silent.getpeername() == address


def test_the_kernel_ends_a_connection_on_which_nothing_is_read(gunicorn):
    """It does so itself, after this many milliseconds: nobody here has to wait for them."""
    with closing(gunicorn.connect()) as connection:
        assert ask(connection, "/unread").read() == b"60000"


def test_what_is_being_answered_is_answered_to_its_end(gunicorn):
    with closing(gunicorn.connect()) as busy, closing(gunicorn.connect()) as idle:
        assert ask(idle).read() == b"begunended"
        answer = ask(busy, "/slow")
        assert answer.read(5) == b"begun"
        gunicorn.tell_to_stop()
        assert idle.sock.recv(1) == b""  # it does not wait for the other one
        (gunicorn.folder / "gate").touch()
        assert answer.read() == b"ended"
    assert "SIGKILL" not in gunicorn.ended()


def test_what_never_ends_is_given_up_before_gunicorn_kills_the_worker(tmp_path):
    with serving(tmp_path, patience=3) as gunicorn, closing(gunicorn.connect()) as busy:
        answer = ask(busy, "/slow")
        assert answer.read(5) == b"begun"
        gunicorn.tell_to_stop()
        assert "Worker exiting" in gunicorn.ended()


def test_a_worker_whose_gunicorn_was_killed_answers_what_was_asked_and_frees_the_port(gunicorn):
    (worker,) = psutil.Process(gunicorn.process.pid).children()
    with closing(gunicorn.connect()) as busy, closing(gunicorn.connect()) as idle:
        assert ask(idle).read() == b"begunended"
        answer = ask(busy, "/slow")
        assert answer.read(5) == b"begun"
        gunicorn.process.kill()
        assert idle.sock.recv(1) == b""
        (gunicorn.folder / "gate").touch()
        assert answer.read() == b"ended"
    with listen("127.0.0.1", gunicorn.port, wait=PATIENCE):
        wait_until(lambda: not worker.is_running(), what="the end of the worker")
    assert "gunicorn was killed; worker" in gunicorn.log
