"""What can go wrong when an executor is called, each with a reason that a person can act on."""

import ssl
from collections.abc import Iterator

import requests

from gorchestrator.common.reasons import ReasonCode

_NO_TLS = {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}  # what OpenSSL makes of plain HTTP
_EXPIRED = "certificate has expired"  # OpenSSL's words
_RENEW = "renew it (`gorch certs renew`)"


class CallFault(Exception):
    """A call to an executor did not give a job. ``code`` and ``reason`` are what a node shows."""

    def __init__(self, code: ReasonCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Unreachable(CallFault):
    """No usable answer: it is tried again."""


class Full(CallFault):
    """The executor takes no more at the moment; ``retry_after`` seconds are to pass."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(ReasonCode.EXECUTOR_FULL, reason)
        self.retry_after = retry_after


class Rejected(CallFault):
    """The executor answered that it will not do this, whenever it is asked."""


class Replaced(CallFault):
    """The executor's data directory is another one: what it had taken is not there any more."""


class JobUnknown(CallFault):
    """The executor has no such job."""


class FenceStale(CallFault):
    """The executor has heard from a newer owner of the run."""


def explain(
    error: requests.RequestException, who: str, certificate: str, *, own: str = "", shown: str = ""
) -> Unreachable:
    """Return the fault for what requests raised; ``who`` names the executor, ``certificate`` our own file.

    ``own`` and ``shown`` say that our certificate or the executor's has expired; they are empty if that is not known.
    """
    causes = list(causes_of(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                ReasonCode.EXECUTOR_REFUSED,
                f"{who} shows a certificate that is not accepted here: {cause.verify_message};"
                f" {_advice(cause.verify_message, shown)}",
            )
    if any(isinstance(cause, ssl.SSLError) and getattr(cause, "reason", None) in _NO_TLS for cause in causes):
        return Unreachable(ReasonCode.EXECUTOR_REFUSED, f"{who} does not speak TLS there; check the URL")
    if _is_refusal(causes) and own:
        return Unreachable(
            ReasonCode.EXECUTOR_REFUSED, f"{who} closed the connection in the TLS handshake: {own}; {_RENEW}"
        )
    if _is_refusal(causes):
        return Unreachable(
            ReasonCode.EXECUTOR_REFUSED,
            f"{who} closed the connection in the TLS handshake; most likely it does not accept the certificate"
            f" {certificate} (another CA, or expired): its log says tls_refused with the cause",
        )
    if isinstance(error, requests.Timeout):
        return Unreachable(ReasonCode.EXECUTOR_UNREACHABLE, f"{who} did not answer in time")
    last = next((cause for cause in reversed(causes) if isinstance(cause, OSError) and cause.strerror), error)
    text = getattr(last, "strerror", None) or type(last).__name__
    return Unreachable(ReasonCode.EXECUTOR_UNREACHABLE, f"{who} cannot be reached: {text}")


def _advice(message: str, shown: str) -> str:
    """Return what to do about an executor's certificate that OpenSSL does not accept for this reason."""
    if message == _EXPIRED:
        return f"{shown}; {_RENEW}" if shown else _RENEW
    return "check the CA in tls_ca and the names in the executor's certificate"


def _is_refusal(causes: list[BaseException]) -> bool:
    """Whether the peer broke off: under TLS 1.3 that is all that a client without an accepted certificate sees."""
    return any(isinstance(cause, ssl.SSLError) for cause in causes)


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Walk through what an exception wraps; urllib3 keeps causes in ``reason`` and in ``args``."""
    seen: set[int] = set()
    queue: list[BaseException] = [error]
    while queue:
        current = queue.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [getattr(current, "reason", None), current.__cause__, current.__context__, *current.args]
        queue.extend(item for item in inner if isinstance(item, BaseException))
