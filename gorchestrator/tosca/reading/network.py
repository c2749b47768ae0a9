"""Files from the network, with bounds: used only where the user allows it (``--allow-network``).

Apart from the rest, for nothing else in ``tosca`` may open a connection.
"""

import http.client
import time
import urllib.request
from collections.abc import Callable
from urllib.error import URLError
from urllib.parse import urlsplit

from gorchestrator.tosca.reading.paths import MAX_FILE, refusal

SCHEMES = ("http", "https", "ftp")
TIMEOUT = 10.0  # seconds for one answer of the server
DEADLINE = 60.0  # seconds for a whole file


def fetcher() -> Callable[[str], bytes]:
    """Return a function that gets a URL's content, each URL once; ToscaError if that fails."""
    kept: dict[str, bytes] = {}

    def fetch(url: str) -> bytes:
        if url not in kept:
            kept[url] = _get(url)
        return kept[url]

    return fetch


def _get(url: str) -> bytes:
    if urlsplit(url).scheme.lower() not in SCHEMES:
        raise refusal(url, f"only {', '.join(SCHEMES)} can be fetched")
    until, content = time.monotonic() + DEADLINE, bytearray()
    try:
        # Only these schemes come here, and urllib follows redirects to them alone.
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310
            while chunk := answer.read1(1 << 16):
                content += chunk
                if len(content) > MAX_FILE or time.monotonic() > until:
                    raise refusal(url, f"is larger than {MAX_FILE >> 20} MiB, or takes longer than {DEADLINE:.0f} s")
    except (URLError, OSError, http.client.HTTPException, ValueError) as error:
        raise refusal(url, f"cannot be fetched: {getattr(error, 'reason', None) or error}") from None
    return bytes(content)
