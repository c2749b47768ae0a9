"""Lines of the log on their way to syslog and logstash: real sockets, and threads as in the services."""

import io
import json
import logging
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gorchestrator.common import logs
from gorchestrator.common.sinks import handler, sender
from gorchestrator.common.sinks.setup import lowest_level, set_up_logs
from sinks_support import having, receiver
from support import wait_until

BUSY = 3.0  # seconds that a busy machine may not run a process; who waits for a receiver waits longer
log = logging.getLogger("gorchestrator.of.a.test")


@dataclass(frozen=True)
class Settings:
    service: str = "gorchestrator"
    log_level: str = "info"
    log_levels: dict[str, str] = field(default_factory=dict)
    log_format: str = "json"
    syslog: str = ""
    syslog_level: str = "info"
    logstash: str = ""
    logstash_level: str = "info"
    logstash_ca: Path | None = None


@pytest.fixture(autouse=True)
def _root_as_before():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    handler.use([])
    logs.configure("warning", "json", io.StringIO())
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(sender, "_FIRST_WAIT", 0.02)
    monkeypatch.setattr(sender, "_LONGEST_WAIT", 0.05)


def said(out: io.StringIO, **wanted: Any) -> list[dict[str, Any]]:
    """Return what standard output got."""
    return having([json.loads(line) for line in out.getvalue().splitlines()], **wanted)


def started(out: io.StringIO, **settings: Any) -> Settings:
    found = Settings(**settings)
    set_up_logs(found, out)
    return found


def test_syslog_by_tcp_is_rfc_5424_with_octets_counted(out):
    with receiver() as far:
        started(out, syslog=f"tcp://127.0.0.1:{far.port}?facility=local3", syslog_level="debug")
        for level in (10, 20, 30, 40, 50):
            log.log(level, "hé %s\n", level, extra={"event": "test", "task": "t"})
        wait_until(lambda: len(far.messages()) == 5, what="all of them")
        found = far.messages()
        assert [line["header"]["priority"] for line in found] == [str(19 * 8 + n) for n in (7, 6, 4, 3, 2)]
        head = found[1]["header"]
        assert (head["app"], head["event"], head["pid"]) == ("gorchestrator", "test", str(os.getpid()))
        assert head["time"] == found[1]["time"]
        assert (found[1]["message"], found[1]["task"], found[1]["level"]) == ("hé 20\n", "t", "info")
        assert far.accepted() == 1
    told = said(out, logger=log.name)
    assert [line["level"] for line in told] == [
        "info",
        "warning",
        "error",
        "critical",
    ]


def test_syslog_by_udp(out):
    with receiver(udp=True) as far:
        started(out, syslog=f"udp://127.0.0.1:{far.port}", syslog_level="warning")
        log.info("no")
        log.error("x" * 100_000, extra={"long": "y" * 70_000})
        line = far.wait_for(far.messages, level="error")
        assert line["header"]["priority"] == "27"
        assert line["header"]["event"] == "log"
        assert len(line["message"]) < 9000
        assert " [… 91808 characters left out …] " in line["message"]
        assert len(far.messages()) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["datagrams", "stream"])
def test_syslog_on_a_socket_file(out, tmp_path, stream):
    place = str(tmp_path / "log")
    with receiver(place, stream=stream) as far:
        started(out, syslog=f"unix://{place}")
        log.info("one")
        if stream:
            wait_until(lambda: any(far.data.values()), what="a line")
            assert bytes(far.data[0]).startswith(b"<30>1 ")
            assert bytes(far.data[0]).endswith(b'"message": "one"}\n')
        else:
            assert far.wait_for(far.messages, message="one")["header"]["priority"] == "30"


def test_logstash_gets_json_lines(out):
    with receiver() as far:
        started(out, logstash=f"tcp://127.0.0.1:{far.port}", logstash_level="error")
        log.warning("no")
        try:
            raise ValueError("broken")
        except ValueError:
            log.exception("it broke", extra={"event": "fault", "node": 3})
        line = far.wait_for(far.lines, event="fault")
        assert list(line)[:6] == ["@timestamp", "@version", "host", "service", "pid", "level"]
        assert (line["@version"], line["service"], line["pid"], line["node"]) == ("1", "gorchestrator", os.getpid(), 3)
        assert line["@timestamp"].endswith("Z")
        assert "time" not in line
        assert "ValueError: broken" in line["exc_info"]
        assert len(far.lines()) == 1


def test_logstash_by_tls_proves_who_it_is(out, certs, tmp_path):
    with receiver(tls=certs) as far:
        settings = started(out, logstash=f"tls://localhost:{far.port}", logstash_ca=certs / "ca.pem")
        log.info("one")
        far.wait_for(far.lines, message="one")
        set_up_logs(replace(settings, logstash_ca=None), out)  # the usual CAs do not know it
        log.info("two")
        wait_until(lambda: said(out, event="log_sink_unreachable"), what="a warning")
        assert "certificate verify failed" in said(out, event="log_sink_unreachable")[0]["reason"]
        assert not having(far.lines(), message="two")
        set_up_logs(settings, out)
        log.info("three")
        far.wait_for(far.lines, message="three")
        assert having(far.lines(), message="two")


def test_lines_wait_for_a_receiver_that_is_down_and_come_in_order(out):
    with receiver() as far:
        port = far.port
    started(out, logstash=f"tcp://127.0.0.1:{port}")
    for number in range(300):
        log.info("line", extra={"number": number})
    wait_until(lambda: said(out, event="log_sink_unreachable"), what="a warning")
    assert said(out, event="log_sink_unreachable")[0]["reason"] == "Connection refused"
    with receiver(port) as far:
        wait_until(lambda: len(having(far.lines(), message="line")) == 300, what="all lines")
        assert [line["number"] for line in having(far.lines(), message="line")] == list(range(300))
        wait_until(lambda: said(out, event="log_sink_reached"), what="that it is back")
    assert len(said(out, event="log_sink_unreachable")) == 1


def test_a_receiver_that_comes_back_gets_what_came_meanwhile(out):
    with receiver() as far:
        port = far.port
        started(out, syslog=f"tcp://127.0.0.1:{port}")
        log.info("before")
        far.wait_for(far.messages, message="before")
    log.info("between")
    wait_until(lambda: said(out, event="log_sink_unreachable"), what="a warning")
    with receiver(port) as far:
        far.wait_for(far.messages, message="between")
        assert not having(far.messages(), message="before")  # it had arrived


def test_who_does_not_read_gets_what_the_queue_holds_and_is_told_of_the_rest(out, monkeypatch):
    monkeypatch.setattr(sender, "LINES", 50)
    with receiver() as far, receiver() as other:
        far.reading.clear()
        syslog = f"tcp://127.0.0.1:{other.port}"
        started(out, logstash=f"tcp://127.0.0.1:{far.port}", syslog=syslog, syslog_level="warning")
        count = 0
        while not said(out, event="log_sink_full"):  # until the network holds no more
            log.info("line", extra={"number": count, "much": "x" * 8000})
            count += 1
            time.sleep(0.001)
        for number in range(100):
            log.info("too much", extra={"number": number})
        assert not far.lines()
        far.reading.set()
        told = far.wait_for(far.lines, event="log_lines_dropped")
        log.info("the last")
        far.wait_for(far.lines, message="the last")
        came = having(far.lines(), logger="gorchestrator.of.a.test")
        assert told["dropped"] == count + 100 + 1 - len(came)
        assert [line["number"] for line in having(came, message="line")] == list(range(len(came) - 1))
        assert said(out, event="log_lines_dropped")[0]["dropped"] == told["dropped"]
        other.wait_for(other.messages, event="log_lines_dropped", dropped=told["dropped"])


def test_nobody_waits_for_who_does_not_read(out, monkeypatch):
    monkeypatch.setattr(sender, "LINES", 1000)
    with receiver() as far, receiver() as silent:
        far.reading.clear()
        silent.reading.clear()
        started(out, logstash=f"tls://127.0.0.1:{silent.port}", syslog=f"tcp://127.0.0.1:{far.port}")
        slowest = 0.0
        for _ in range(4000):
            begun = time.monotonic()
            log.info("line", extra={"much": "x" * 1000})
            slowest = max(slowest, time.monotonic() - begun)
        assert slowest < BUSY
        begun = time.monotonic()
        handler.end()
        assert time.monotonic() - begun < handler.AT_END + BUSY
        assert len({line["sink"] for line in said(out, event="log_lines_dropped")}) == 2


def test_what_is_queued_is_sent_at_the_end(out):
    with receiver() as far, receiver(udp=True) as near:
        started(out, logstash=f"tcp://127.0.0.1:{far.port}", syslog=f"udp://127.0.0.1:{near.port}")
        for number in range(1000):
            log.info("line", extra={"number": number})
        handler.end()
        assert not said(out, event="log_lines_dropped")
        wait_until(lambda: len(far.lines()) == 1000, what="all lines")
        wait_until(near.messages, what="at least some: datagrams get lost")


def test_what_cannot_be_sent_at_the_end_is_told_at_once(out):
    with receiver() as far:
        port = far.port
    started(out, logstash=f"tcp://127.0.0.1:{port}")
    for _ in range(7):
        log.info("line")
    begun = time.monotonic()
    handler.end()
    assert time.monotonic() - begun < handler.AT_END  # it need not wait for somebody who is not there
    assert said(out, event="log_lines_dropped")[0]["dropped"] == 7


def test_a_forked_process_has_its_own_thread_and_connection(out):
    with receiver() as far:
        started(out, logstash=f"tcp://127.0.0.1:{far.port}")
        log.info("of the parent")
        far.wait_for(far.lines, message="of the parent")
        child = os.fork()
        if child == 0:
            log.info("of the child")
            handler.end()
            os._exit(0)
        os.waitpid(child, 0)
        line = far.wait_for(far.lines, message="of the child")
        assert line["pid"] == child
        assert far.accepted() == 2
        log.info("of the parent again")
        assert far.wait_for(far.lines, message="of the parent again")["pid"] == os.getpid()
        assert far.accepted() == 2


def test_a_receiver_that_stays_keeps_its_connection_and_one_that_goes_gets_what_was_queued(out):
    with receiver() as far, receiver() as other:
        settings = started(out, logstash=f"tcp://127.0.0.1:{far.port}")
        log.info("one")
        far.wait_for(far.lines, message="one")
        set_up_logs(replace(settings, logstash_level="warning", syslog=f"tcp://127.0.0.1:{other.port}"), out)
        log.info("two")
        log.warning("three")
        far.wait_for(far.lines, message="three")
        assert far.accepted() == 1
        other.wait_for(other.messages, message="two")
        assert not having(far.lines(), message="two")
        log.warning("four")
        set_up_logs(Settings(), out)
        log.warning("five")
        far.wait_for(far.lines, message="four")
        assert not having(far.lines(), message="five")


def test_what_waits_goes_to_the_new_address_of_a_receiver(out):
    with receiver() as nobody:
        port = nobody.port
    with receiver() as silent, receiver() as far:
        silent.reading.clear()
        down, slow = f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{silent.port}"
        settings = started(out, logstash=down, syslog=slow)
        for number in range(200):
            log.info("line", extra={"number": number, "much": "x" * 8000})
        wait_until(lambda: said(out, event="log_sink_unreachable"), what="a warning")
        set_up_logs(replace(settings, logstash=f"tcp://127.0.0.1:{far.port}"), out)
        wait_until(lambda: len(having(far.lines(), message="line")) == 200, what="all lines")
        assert [line["number"] for line in having(far.lines(), message="line")] == list(range(200))
        with receiver() as other:
            set_up_logs(replace(settings, syslog=f"tcp://127.0.0.1:{other.port}"), out)
            other.wait_for(other.messages, message="line", number=199)
        assert not said(out, event="log_lines_dropped")


def test_who_is_not_wanted_any_more_and_is_away_is_told_of(out):
    with receiver() as far:
        port = far.port
    started(out, logstash=f"tcp://127.0.0.1:{port}")
    for _ in range(5):
        log.info("line")
    set_up_logs(Settings(), out)
    wait_until(lambda: said(out, event="log_lines_dropped", dropped=5), what="how many were lost")


def test_a_record_that_cannot_be_written_is_counted(out):
    class Odd:
        def __str__(self) -> str:
            raise ValueError("odd")

    with receiver() as far:
        started(io.StringIO(), log_level="error", logstash=f"tcp://127.0.0.1:{far.port}")
        log.info("odd", extra={"odd": {Odd(): 1}})
        log.info("even")
        far.wait_for(far.lines, message="even")
        far.wait_for(far.lines, event="log_lines_dropped", dropped=1)


def test_loggers_have_levels_of_their_own(out):
    with receiver() as far:
        levels = {"of.a": "error", "of.a.test": "debug", "noisy": "error"}
        settings = started(out, log_levels=levels, logstash=f"tcp://127.0.0.1:{far.port}", logstash_level="warning")
        names = ("of", "of.a", "of.a.test.deeper", "noisy", "of.another")
        for name in names:
            for level in (10, 20, 30, 40):
                logging.getLogger(name).log(level, "x")
        lines = [(line["logger"], line["level"]) for line in said(out)]
        assert lines == [
            *(("of", level) for level in ("info", "warning", "error")),
            ("of.a", "error"),
            *(("of.a.test.deeper", level) for level in ("debug", "info", "warning", "error")),
            ("noisy", "error"),
            *(("of.another", level) for level in ("info", "warning", "error")),
        ]
        wait_until(lambda: len(far.lines()) == 8, what="from warning on")
        set_up_logs(replace(settings, log_levels={}), out)
        logging.getLogger("noisy").info("again")
        assert said(out, message="again")


@pytest.mark.parametrize(
    ("log_level", "syslog_level", "lowest"),
    [("info", "debug", "debug"), ("info", "error", "info"), ("error", "warning", "warning")],
)
def test_each_place_has_its_level(out, log_level, syslog_level, lowest):
    with receiver() as far:
        settings = started(out, log_level=log_level, syslog=f"tcp://127.0.0.1:{far.port}", syslog_level=syslog_level)
        assert lowest_level(settings) == lowest
        for level in ("debug", "info", "warning", "error"):
            getattr(log, level)(level)
        far.wait_for(far.messages, message="error")
        order = ["debug", "info", "warning", "error"]
        assert [line["message"] for line in said(out)] == order[order.index(log_level) :]
        assert [line["message"] for line in far.messages()] == order[order.index(syslog_level) :]


def test_libraries_give_no_details_and_gunicorn_not_what_was_sent(out):
    with receiver() as far:
        started(out, log_level="debug", logstash=f"tcp://127.0.0.1:{far.port}", logstash_level="debug")
        theirs = logging.getLogger("gunicorn.error")
        theirs.setLevel(logging.DEBUG)  # as gunicorn does
        logs.join(theirs.name)
        for logger in (theirs, logging.getLogger("urllib3.connectionpool"), log):
            logger.debug("GET /?key=s3cret")
        theirs.warning("Invalid request from ip=::1: Invalid HTTP Header: 's3cret'")
        theirs.warning('Invalid request from ip=::1: Invalid HTTP request line: b"it\'s s3cret"')
        theirs.warning("Invalid request from ip=::1: Request Line is too large (5 > 4)")
        theirs.error("Error handling request %s %s", "GET", "/v1/tasks?key=s3cret")
        far.wait_for(far.lines, level="error")
        wanted = ["GET /?key=s3cret"]  # what is ours is ours to see to
        wanted += ["Invalid HTTP Header", "Invalid HTTP request line", "Request Line is too large (5 > 4)"]
        wanted += ["Error handling request GET /v1/tasks"]
        for lines in (said(out), far.lines()):
            assert [line["message"].rpartition("::1: ")[2] for line in lines] == wanted
    theirs.setLevel(logging.NOTSET)


def test_gunicorns_logger_follows_when_the_level_changes(out):
    theirs = logging.getLogger("gunicorn.error")
    settings = started(out)
    theirs.setLevel(logging.INFO)  # as gunicorn does
    set_up_logs(replace(settings, log_level="warning"), out)
    theirs.info("no")
    theirs.warning("one")
    set_up_logs(settings, out)
    theirs.info("two")
    assert [line["message"] for line in said(out)] == ["one", "two"]


def test_gunicorns_logger_keeps_its_level_unless_it_has_one_here(out):
    logger = logging.getLogger("gunicorn.error")
    logger.setLevel(logging.WARNING)  # as gunicorn does
    started(out)
    assert logger.level == logging.WARNING
    started(out, log_levels={"gunicorn": "error"})
    assert logger.level == logging.ERROR
    logger.setLevel(logging.NOTSET)
