"""Samples of several workers become one text: merged by what each metric is, written by ``prometheus_client``."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family

from gorchestrator.common.metrics.definitions import Kind, Merge, Metric

_END = b"# EOF\n"  # of OpenMetrics; it stands once, behind all families


@dataclass(frozen=True, slots=True)
class Sample:
    """A series as one worker knows it: one number, or those of a histogram (each bucket alone, infinity, sum)."""

    name: str
    labels: tuple[str, ...]
    values: tuple[float, ...]


def encode(
    metrics: Sequence[Metric], samples: Iterable[Sample], accept: str, pause: Callable[[], None]
) -> tuple[bytes, str]:
    """Return the text for all ``metrics`` and its media type, as a client accepts them (its header ``Accept``).

    What has no sample is told without one, so that its name is known. Samples of other metrics are left out.
    ``pause`` is called between two metrics, for other work.
    """
    write, media_type = choose_encoder(accept)
    merged = _merge({metric.name: metric for metric in metrics}, samples)
    text = []
    for metric in metrics:
        text.append(write(_Alone(_family(metric, merged[metric.name]))).removesuffix(_END))
        pause()
    end = _END if media_type.startswith("application/openmetrics-text") else b""
    return b"".join(text) + end, media_type


@dataclass(frozen=True, slots=True)
class _Alone:
    """A registry of one family, so that they can be written one after the other."""

    family: Family

    def collect(self) -> Iterator[Family]:
        """Yield the family."""
        yield self.family


_Series = dict[tuple[str, ...], tuple[float, ...]]


def _merge(metrics: Mapping[str, Metric], samples: Iterable[Sample]) -> dict[str, _Series]:
    merged: dict[str, _Series] = {name: {} for name in metrics}
    for sample in samples:
        metric = metrics.get(sample.name)
        if metric is None or len(sample.values) != metric.width or len(sample.labels) != len(metric.labels):
            continue
        series = merged[sample.name]
        known = series.get(sample.labels)
        series[sample.labels] = sample.values if known is None else _joined(metric.merge, known, sample.values)
    for metric in metrics.values():
        if not metric.labels and metric.kind is not Kind.GAUGE:  # nothing was counted yet, which is a number too
            merged[metric.name].setdefault((), (0.0,) * metric.width)
    return merged


def _joined(merge: Merge, one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    if merge is Merge.SUM:
        return tuple(map(sum, zip(one, other, strict=True)))
    return tuple(map(min if merge is Merge.MIN else max, one, other))


def _family(metric: Metric, series: _Series) -> Family:
    if metric.kind is Kind.HISTOGRAM:
        family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        bounds = [str(float(bound)) for bound in metric.buckets] + ["+Inf"]
        for labels, values in sorted(series.items()):
            counts = list(zip(bounds, accumulate(values[:-1]), strict=True))
            family.add_metric(labels, counts, values[-1])
        return family
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    simple = kind(metric.name, metric.help, labels=metric.labels)
    for labels, values in sorted(series.items()):
        simple.add_metric(labels, values[0])
    return simple
