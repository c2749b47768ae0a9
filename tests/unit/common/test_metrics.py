"""Numbers that several workers count together. Two meters of one folder are two workers: locks are of open files."""

import errno
import os
import subprocess
import sys

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from gorchestrator.common.metrics import Meter, Sample, cells, encode
from gorchestrator.common.metrics.definitions import Kind, Merge, Metric, counter, gauge, histogram

ENDED = counter("test_ended_total", 'what has "ended"', "engine", "state")
TOOK = histogram("test_took_seconds", "how long", "engine", buckets=(0.1, 1, 10))
COMMITS = histogram("test_commits", "so many", buckets=(1, 5))
OPEN = gauge("test_open", "how many")
WORST = gauge("test_worst", "the worst", "name", merge=Merge.MIN)
LARGEST = gauge("test_largest", "the largest", merge=Merge.MAX)
KILLED = """
import os, sys
from pathlib import Path
from gorchestrator.common.metrics import Meter
from gorchestrator.common.metrics.definitions import counter
os.getppid = lambda: int(sys.argv[2])  # a worker of the same service as the test
meter = Meter(Path(sys.argv[1]))
meter.counter(counter("test_ended_total", "ended", "engine", "state")).inc("nil", "success", by=4)
print("counted", flush=True)
sys.stdin.read()
"""
METRICS = (ENDED, TOOK, COMMITS, OPEN, WORST, LARGEST)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / "metrics"


@pytest.fixture
def worker(folder):
    """Return what makes the meter of a worker."""
    made = []

    def make():
        made.append(Meter(folder))
        return made[-1]

    yield make
    for meter in made:
        meter.close()


def shown(samples, metrics=METRICS):
    """Return all samples of the text, by their names with their labels."""
    text, media_type = encode(metrics, samples, "", lambda: None)
    assert media_type.startswith("text/plain")
    return {
        (each.name, *sorted(each.labels.items())): each.value
        for family in plain(text.decode())
        for each in family.samples
    }


# -- one worker


def test_counts_are_added_by_their_labels():
    meter = Meter()
    ended = meter.counter(ENDED)
    for _ in range(3):
        ended.inc("shell", "success")
    ended.inc("nil", "success", by=2.5)
    found = shown(meter.samples())
    assert found["test_ended_total", ("engine", "shell"), ("state", "success")] == 3
    assert found["test_ended_total", ("engine", "nil"), ("state", "success")] == 2.5


@pytest.mark.parametrize(
    ("value", "below"), [(0.05, 3), (0.1, 3), (0.11, 2), (1, 2), (10, 1), (10.5, 0), (0, 3), (1e9, 0)]
)
def test_a_bucket_has_what_is_not_larger_than_its_bound(value, below):
    meter = Meter()
    meter.histogram(TOOK).observe(value, "shell")
    found = shown(meter.samples())
    buckets = [found["test_took_seconds_bucket", ("engine", "shell"), ("le", le)] for le in ("0.1", "1.0", "10.0")]
    assert buckets == [0] * (3 - below) + [1] * below
    assert found["test_took_seconds_bucket", ("engine", "shell"), ("le", "+Inf")] == 1
    assert found["test_took_seconds_count", ("engine", "shell")] == 1
    assert found["test_took_seconds_sum", ("engine", "shell")] == value


def test_what_is_prepared_counts_when_it_is_added():
    meter = Meter()
    tally = [*meter.counter(ENDED).tally("nil", "failure"), *meter.histogram(COMMITS).tally(7)]
    before = shown(meter.samples())
    assert before["test_ended_total", ("engine", "nil"), ("state", "failure")] == 0
    assert before["test_commits_count",] == 0
    meter.add(tally)
    after = shown(meter.samples())
    assert after["test_ended_total", ("engine", "nil"), ("state", "failure")] == 1
    assert (after["test_commits_count",], after["test_commits_sum",]) == (1, 7)


def test_a_metric_without_samples_is_named_all_the_same():
    text, _ = encode(METRICS, [], "", lambda: None)
    assert all(f"# TYPE {each.name.removesuffix('_total')}" in text.decode() for each in METRICS)
    assert "test_commits_count 0.0" in text.decode()


def test_strange_labels_are_told_as_they_are():
    meter = Meter()
    strange = 'a"b\\c\nü\U0001f600'
    meter.counter(ENDED).inc(strange, "")
    assert shown(meter.samples())["test_ended_total", ("engine", strange), ("state", "")] == 1


def test_labels_are_bounded_in_number_and_length():
    meter = Meter()
    ended = meter.counter(ENDED)
    for number in range(5000):
        ended.inc(f"{number} {'x' * 10_000}", "success")
    found = {key: value for key, value in shown(meter.samples()).items() if key[0] == "test_ended_total"}
    assert len(found) <= 101
    assert sum(found.values()) == 5000
    assert max(len(key[1][1]) for key in found) <= 100
    assert found["test_ended_total", ("engine", "other"), ("state", "other")] >= 4900


def test_what_finds_no_room_harms_nothing():
    meter = Meter()
    counters = [meter.counter(counter(f"test_{number}_total", "one of many", "name")) for number in range(100)]
    for each in counters:
        for label in range(100):
            each.inc(f"{label:03}{'x' * 90}")
    samples = meter.samples()
    assert 1000 < len(samples) < 10_000
    assert {sample.values for sample in samples} == {(1.0,)}
    meter.counter(ENDED).inc("x" * 100, "x" * 100)
    assert len(meter.samples()) == len(samples)


def test_wrong_labels_are_a_fault():
    with pytest.raises(ValueError, match="test_ended_total has the labels"):
        Meter().counter(ENDED).inc("shell")


@pytest.mark.parametrize(
    "arguments",
    [
        ("test_ended", Kind.COUNTER, "no _total"),
        ("test_open_total", Kind.GAUGE, "a _total"),
        ("test_took", Kind.HISTOGRAM, "no buckets"),
        ("test_open", Kind.GAUGE, "buckets", (), (1, 2)),
        ("test_took", Kind.HISTOGRAM, "buckets that shrink", (), (2, 1)),
    ],
)
def test_a_faulty_definition_is_refused(arguments):
    with pytest.raises(ValueError, match=arguments[0]):
        Metric(*arguments)


def test_openmetrics_is_for_who_accepts_it():
    meter = Meter()
    meter.counter(ENDED).inc("nil", "success")
    meter.histogram(TOOK).observe(3, "nil")
    meter.gauge(OPEN).set(4)
    text, media_type = encode(METRICS, meter.samples(), "application/openmetrics-text; version=1.0.0", lambda: None)
    assert media_type.startswith("application/openmetrics-text")
    families = {family.name: family for family in openmetrics(text.decode())}  # it insists on one # EOF, at the end
    assert {family.name for family in families.values()} == {each.name.removesuffix("_total") for each in METRICS}
    assert families["test_ended"].type == "counter"


# -- several


def test_counts_of_all_workers_are_added(worker):
    one, two = worker(), worker()
    for number, meter in enumerate((one, two), 1):
        meter.counter(ENDED).inc("nil", "success", by=number)
        meter.histogram(TOOK).observe(number, "nil")
        meter.gauge(OPEN).set(10 * number)
        meter.gauge(WORST).set(number, "a")
        meter.gauge(LARGEST).set(number)
    assert shown(one.samples()) == shown(two.samples())
    found = shown(one.samples())
    assert found["test_ended_total", ("engine", "nil"), ("state", "success")] == 3
    assert found["test_took_seconds_sum", ("engine", "nil")] == 3
    assert found["test_took_seconds_bucket", ("engine", "nil"), ("le", "1.0")] == 1
    assert (found["test_open",], found["test_worst", ("name", "a")], found["test_largest",]) == (30, 1, 2)
    assert one.workers() == two.workers() == 2


def test_a_worker_that_ends_leaves_its_counts_and_no_gauges(worker):
    one, two = worker(), worker()
    for meter in (one, two):
        meter.counter(ENDED).inc("nil", "success", by=5)
        meter.gauge(OPEN).set(7)
    two.close()
    found = shown(one.samples())
    assert found["test_ended_total", ("engine", "nil"), ("state", "success")] == 10
    assert found["test_open",] == 7
    assert one.workers() == 1


def test_the_next_worker_goes_on_counting_where_one_has_ended(worker, folder):
    one, two = worker(), worker()
    for meter in (one, two):
        meter.counter(ENDED).inc("nil", "success")
        meter.gauge(OPEN).set(7)
    for times in range(20):
        two.close()
        two = worker()
        assert ("test_open",) in shown(two.samples())
        assert shown(two.samples())["test_open",] == 7  # that of the other one alone
        two.counter(ENDED).inc("nil", "success")
        assert shown(one.samples())["test_ended_total", ("engine", "nil"), ("state", "success")] == 3 + times
    assert len(list(folder.glob("*/*"))) == 2


def test_a_gauge_of_what_is_not_there_any_more_is_gone(worker):
    one = worker()
    worst = one.gauge(WORST)
    for name in "ab":
        worst.set(1, name)
    worst.keep([("b",)])
    assert [key for key in shown(one.samples()) if key[0] == "test_worst"] == [("test_worst", ("name", "b"))]
    worst.set(0, "a")
    assert shown(one.samples())["test_worst", ("name", "a")] == 0


def test_a_service_that_is_started_begins_at_zero_and_removes_what_others_have_left(worker, folder, monkeypatch):
    worker().counter(ENDED).inc("nil", "success")
    (before,) = folder.iterdir()
    monkeypatch.setattr(os, "getppid", os.getpid)  # the main process of another service, which lives
    meter = worker()
    assert before in list(folder.iterdir())  # its main process lives
    assert shown(meter.samples()).get(("test_ended_total", ("engine", "nil"), ("state", "success"))) is None
    ended = folder / f"{os.getpid()}-1"  # another process that had this pid
    ended.mkdir()
    (ended / "0").write_bytes(b"x")
    worker()
    assert not ended.exists()


def test_the_folder_is_for_its_user_alone(worker, folder):
    worker()
    for path in (folder.parent, folder, *folder.iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_a_worker_that_finds_no_room_counts_for_itself_and_says_so(worker, folder, monkeypatch, caplog):
    one = worker()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        alone = worker()
    (record,) = [each for each in caplog.records if getattr(each, "event", None) == "metrics_alone"]
    assert "No space left" in record.getMessage()
    alone.counter(ENDED).inc("nil", "success")
    assert shown(alone.samples())["test_ended_total", ("engine", "nil"), ("state", "success")] == 1
    assert one.workers() == 1
    assert shown(one.samples()).keys() == shown([]).keys()  # the file that was begun says nothing


def test_whatever_stands_in_a_file_it_is_read_or_left_out(worker, folder):
    """As of a worker that was killed while its file was made."""
    one = worker()
    one.counter(ENDED).inc("nil", "success")
    (own,) = folder.iterdir()
    (own / "7").write_bytes(b"")
    (own / "8").write_bytes(bytes(cells.SIZE))
    assert shown(one.samples())["test_ended_total", ("engine", "nil"), ("state", "success")] == 1


def test_samples_of_another_shape_are_left_out():
    found = shown(
        [Sample("test_open", ("too", "many"), (1.0,)), Sample("test_commits", (), (1.0,)), Sample("x", (), ())]
    )
    assert ("test_open",) not in found
    assert found["test_commits_count",] == 0


def test_a_worker_that_is_killed_loses_nothing_and_its_seat_is_free(worker, folder):
    command = [sys.executable, "-c", KILLED, str(folder), str(os.getppid())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"counted\n"
        one = worker()
        assert one.workers() == 2
        other.kill()
        other.wait()
    assert one.workers() == 1
    assert shown(one.samples())["test_ended_total", ("engine", "nil"), ("state", "success")] == 4
    worker()
    assert {path.name for path in folder.glob("*/*")} == {"0", "1"}
