"""The instruments of a process: what is measured goes into its seat, and is read from the seats of all.

An instrument is used by one thread at a time. A :class:`Tally` is made by one thread and added by another one, which is
how the journal counts what it has committed.
"""

import json
import math
import mmap
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gorchestrator.common.metrics.cells import Cells, read
from gorchestrator.common.metrics.definitions import Kind, Metric
from gorchestrator.common.metrics.exposition import Sample
from gorchestrator.common.metrics.seats import Seat

#: Places of numbers, and what is to be added to each.
Tally = Sequence[tuple[int, float]]

OTHER = "other"
_SERIES = 100  # of a metric at the most; what has other labels is counted under this one: ``other``
_LENGTH = 100  # characters of the value of a label
_GAUGES = b'["gauge"'


class Meter:
    """Gives instruments and reads them. ``folder``: the directory that the workers share; None: this process alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self._seat = Seat(folder)
        self._cells = Cells(self._seat.memory)
        self._cells.blank(_GAUGES)  # of who sat here before

    def counter(self, metric: Metric) -> "Counter":
        """Return the instrument of a counter."""
        return Counter(self._cells, metric)

    def gauge(self, metric: Metric) -> "Gauge":
        """Return the instrument of a gauge."""
        return Gauge(self._cells, metric)

    def histogram(self, metric: Metric) -> "Histogram":
        """Return the instrument of a histogram."""
        return Histogram(self._cells, metric)

    def add(self, tally: Tally) -> None:
        """Count what was prepared."""
        values = self._cells.values
        for place, amount in tally:
            values[place] += amount

    def samples(self) -> list[Sample]:
        """Return the numbers of all workers: counts of those that have ended, too, but not their gauges."""
        found = list(_samples(self._seat.memory, gauges=True))
        for memory, taken in self._seat.others():
            found.extend(_samples(memory, gauges=taken))
        return found

    def workers(self) -> int:
        """Return how many workers live."""
        return 1 + sum(taken for _, taken in self._seat.others())

    def close(self) -> None:
        """Leave the seat. What is measured afterwards, is not."""
        self._seat.leave()


class _Instrument:
    def __init__(self, cells: Cells, metric: Metric) -> None:
        self._cells = cells
        self._values = cells.values
        self._metric = metric
        self._places: dict[tuple[str, ...], int] = {}
        if not metric.labels:
            self._place(())

    def _place(self, labels: tuple[str, ...]) -> int:
        place = self._places.get(labels)
        if place is None:
            place = self._places[labels] = self._new(labels)
        return place

    def _new(self, labels: tuple[str, ...]) -> int:
        metric = self._metric
        if len(labels) != len(metric.labels):
            raise ValueError(f"{metric.name} has the labels {metric.labels}, not {labels}")
        if len(self._places) >= _SERIES:
            labels = (OTHER,) * len(labels)
        told = [metric.kind, metric.name, [label[:_LENGTH] for label in labels]]
        return self._cells.place(json.dumps(told, separators=(",", ":")).encode(), metric.width)


class Counter(_Instrument):
    """Counts."""

    def show(self, *labels: str) -> None:
        """Show 0 if nothing was counted yet: else the first one is no increase to Prometheus."""
        self._place(labels)

    def inc(self, *labels: str, by: float = 1) -> None:
        """Count one more, or ``by`` more."""
        self._values[self._place(labels)] += by

    def tally(self, *labels: str, by: float = 1) -> Tally:
        """Return what :meth:`Meter.add` has to add for the same."""
        return ((self._place(labels), by),)


class Gauge(_Instrument):
    """Shows how much there is."""

    def set(self, value: float, *labels: str) -> None:
        """Show this from now on."""
        self._values[self._place(labels)] = value

    def keep(self, kept: Iterable[tuple[str, ...]]) -> None:
        """Show none but these: the others are not there any more."""
        for labels in self._places.keys() - set(kept):
            self._values[self._places[labels]] = math.nan


class Histogram(_Instrument):
    """Counts by size."""

    def observe(self, value: float, *labels: str) -> None:
        """Count something of this size."""
        for place, amount in self.tally(value, *labels):
            self._values[place] += amount

    def tally(self, value: float, *labels: str) -> Tally:
        """Return what :meth:`Meter.add` has to add for the same."""
        place, bounds = self._place(labels), self._metric.buckets
        return ((place + bisect_left(bounds, value), 1), (place + len(bounds) + 1, value))


def _samples(memory: mmap.mmap, *, gauges: bool) -> Iterator[Sample]:
    for key, values in read(memory):
        kind, name, labels = json.loads(key)
        if (gauges or kind != Kind.GAUGE) and not math.isnan(values[0]):
            yield Sample(name, tuple(labels), values)
