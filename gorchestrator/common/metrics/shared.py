"""The metrics that both services have."""

from gorchestrator.common.metrics.definitions import SHORT, Merge, counter, gauge, histogram

BUILD = gauge("gorch_build_info", "always 1; the labels say what runs", "service", "version", "python", merge=Merge.MAX)
CERTIFICATE_ENDS = gauge(
    "gorch_certificate_end_seconds", "when a certificate in use ends, since the epoch", "kind", "name", merge=Merge.MIN
)
DISK_FREE = gauge("gorch_disk_free_bytes", "room on the file system of the data directory")
REQUESTS = counter("gorch_http_requests_total", "requests that were answered", "method", "status")
HUB_LAG = histogram(
    "gorch_hub_lag_seconds", "how much later than wanted a greenlet was woken; looked at every 2 s", buckets=SHORT
)
CPU = counter("gorch_cpu_seconds_total", "processor time of the workers")
RESIDENT = gauge("gorch_resident_bytes", "memory of the workers")

SHARED = (BUILD, CERTIFICATE_ENDS, DISK_FREE, REQUESTS, HUB_LAG, CPU, RESIDENT)
