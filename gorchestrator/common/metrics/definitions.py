"""What there is to say of a metric before anything was measured. As data, so that documents can be compared with it."""

from dataclasses import dataclass
from enum import StrEnum

#: Seconds, from what takes no time to what takes an hour: for work of nodes.
LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
#: Seconds, for what the service itself does.
SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Kind(StrEnum):
    """The types of metrics that Prometheus knows."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Merge(StrEnum):
    """What becomes of the gauges of several workers."""

    SUM = "sum"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric. ``name`` is that of its samples, so the name of a counter ends in ``_total``.

    ``labels``: their values are bounded by the configuration, never by what is submitted. ``buckets``: the upper bounds
    of a histogram, without infinity.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    merge: Merge = Merge.SUM

    def __post_init__(self) -> None:
        if (self.kind is Kind.COUNTER) != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: a counter, and nothing else, ends in _total")
        if (self.kind is Kind.HISTOGRAM) != bool(self.buckets) or list(self.buckets) != sorted(set(self.buckets)):
            raise ValueError(f"{self.name}: a histogram, and nothing else, has buckets, and they grow")

    @property
    def width(self) -> int:
        """How many numbers a series of it has: a histogram its buckets, infinity and the sum."""
        return len(self.buckets) + 2 if self.buckets else 1


def counter(name: str, help: str, *labels: str) -> Metric:
    """Return what only grows."""
    return Metric(name, Kind.COUNTER, help, labels)


def gauge(name: str, help: str, *labels: str, merge: Merge = Merge.SUM) -> Metric:
    """Return what goes up and down."""
    return Metric(name, Kind.GAUGE, help, labels, merge=merge)


def histogram(name: str, help: str, *labels: str, buckets: tuple[float, ...]) -> Metric:
    """Return how often something was so large."""
    return Metric(name, Kind.HISTOGRAM, help, labels, buckets)
