"""What cannot be reached is told in words that a person can act on."""

import socket
import ssl

import pytest
import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError
from urllib3.exceptions import SSLError as Urllib3SSLError

from gorchestrator.client.faults import explain
from gorchestrator.common.reasons import ReasonCode

WHO = "executor 'x' at https://h:1"


def tls(reason, kind=ssl.SSLError):
    error = kind(1, f"[SSL: {reason}] words")
    error.reason = reason
    return error


def unverified(message):
    error = tls("CERTIFICATE_VERIFY_FAILED", ssl.SSLCertVerificationError)
    error.verify_message = message
    return error


def wrapped(error):
    """Return it as requests raises it: inside of urllib3's exceptions."""
    return requests.exceptions.SSLError(MaxRetryError(None, "/", Urllib3SSLError(error)))


def raised(error, cause):
    try:
        raise error from cause
    except requests.RequestException as found:
        return found


def test_what_has_expired_is_named():
    theirs = explain(wrapped(unverified("certificate has expired")), WHO, "mine.pem", shown="its one (x) has expired")
    assert theirs.reason.endswith("certificate has expired; its one (x) has expired; renew it (`gorch certs renew`)")
    mine = explain(wrapped(ssl.SSLEOFError(8, "EOF")), WHO, "mine.pem", own="mine.pem has expired")
    assert (
        mine.reason
        == f"{WHO} closed the connection in the TLS handshake: mine.pem has expired; renew it (`gorch certs renew`)"
    )
    other = explain(wrapped(unverified("IP address mismatch")), WHO, "mine.pem", shown="its one (x) has expired")
    assert "check the CA in tls_ca" in other.reason


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (
            wrapped(unverified("certificate has expired")),
            "executor_refused",
            "not accepted here: certificate has expired;",
        ),
        (wrapped(unverified("IP address mismatch")), "executor_refused", "the names in the executor's certificate"),
        (wrapped(tls("TLSV1_ALERT_UNKNOWN_CA")), "executor_refused", "does not accept the certificate mine.pem"),
        (wrapped(tls("TLSV13_ALERT_CERTIFICATE_REQUIRED")), "executor_refused", "does not accept the certificate"),
        (wrapped(ssl.SSLEOFError(8, "EOF")), "executor_refused", "its log says tls_refused"),
        (wrapped(tls("WRONG_VERSION_NUMBER")), "executor_refused", "does not speak TLS there; check the URL"),
        (requests.ConnectTimeout(), "executor_unreachable", "did not answer in time"),
        (requests.ReadTimeout(), "executor_unreachable", "did not answer in time"),
        (
            raised(
                requests.ConnectionError(MaxRetryError(None, "/", NewConnectionError(None, "x"))),
                ConnectionRefusedError(111, "Connection refused"),
            ),
            "executor_unreachable",
            "cannot be reached: Connection refused",
        ),
        (
            raised(requests.ConnectionError("x"), socket.gaierror(-2, "Name or service not known")),
            "executor_unreachable",
            "cannot be reached: Name or service not known",
        ),
        (
            requests.ConnectionError(ProtocolError("aborted", ConnectionResetError(104, "Connection reset by peer"))),
            "executor_unreachable",
            "cannot be reached: Connection reset by peer",
        ),
        (
            requests.exceptions.ChunkedEncodingError("x"),
            "executor_unreachable",
            "cannot be reached: ChunkedEncodingError",
        ),
    ],
)
def test_the_cause_is_found_below_what_requests_and_urllib3_wrap_it_in(error, code, says):
    fault = explain(error, WHO, "mine.pem")
    assert fault.code == ReasonCode(code)
    assert fault.reason.startswith(WHO)
    assert says in fault.reason
