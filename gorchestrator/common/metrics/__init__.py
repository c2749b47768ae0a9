"""What a service counts and times, and how ``/metrics`` shows it: right for any number of worker processes.

The text format and its negotiation are those of ``prometheus_client``; the numbers are kept here, and not in its
multiprocess mode, for four reasons:

* The thread that writes the journal counts what it has committed, so that the counts are as exact as the journal. It
  must take no lock that gevent has patched, and each number of ``prometheus_client`` is behind such a lock.
* A number here is a double in a file that all workers map: adding to it takes about 0.2 µs, there 2 to 4 µs. A node
  adds to a dozen.
* Its files are named by process and chosen when it is imported, so the directory would have to be known before the
  settings are read, and each worker that ever lived would leave files that are read at each scrape. Here a worker takes
  a seat (``seats.py``) that the next one takes over with all counts: no hook of gunicorn is needed, so it also works
  where the service is started without our configuration.
* A worker that was killed loses nothing and leaves nothing: its seat is known to be free by a lock that the kernel lets
  go, its counts stay, its gauges are ignored.

It stands in ``common`` because both services use it. Each has a module ``measures`` with what it measures.
"""

from gorchestrator.common.metrics.definitions import Kind, Metric
from gorchestrator.common.metrics.exposition import Sample, encode
from gorchestrator.common.metrics.meter import Counter, Gauge, Histogram, Meter, Tally

__all__ = ["Counter", "Gauge", "Histogram", "Kind", "Meter", "Metric", "Sample", "Tally", "encode"]
