"""What a receiver of traces answers, and what is sent again."""

import gzip
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gorchestrator.tracing.receiver import Away, Receiver, Refused
from tracing_support import OtlpReceiver, receiving

BODY = gzip.compress(b"")


@pytest.fixture
def there() -> Iterator[OtlpReceiver]:
    with receiving() as found:
        yield found


def refusal(of: Receiver) -> Exception:
    with closing(of), pytest.raises((Away, Refused)) as caught:
        of.send(BODY)
    return caught.value


@pytest.mark.parametrize(("path", "asked"), [("", "/v1/traces"), ("/", "/v1/traces"), ("/mine", "/mine")])
def test_it_is_asked_where_the_standard_says_unless_a_path_is_given(there: OtlpReceiver, path: str, asked: str) -> None:
    with closing(Receiver(there.url + path)) as receiver:
        assert receiver.send(BODY) is None
    assert there.headers[0]["path"] == asked
    assert there.headers[0]["content-type"] == "application/x-protobuf"
    assert there.headers[0]["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, Away), (502, Away), (503, Away), (504, Away), (400, Refused), (404, Refused), (302, Refused)],
)
def test_only_what_may_pass_is_waited_for(there: OtlpReceiver, status: int, kind: type[Exception]) -> None:
    there.status, there.more = status, {"Location": "/elsewhere"}
    found = refusal(Receiver(there.url))
    assert type(found) is kind
    assert f"it answers {status}" in str(found)
    assert len(there.headers) == 1


@pytest.mark.parametrize(("said", "after"), [("7", 7.0), ("1e9", 300.0), ("-1", 0.0), ("Mon, 1 Jan 2024", 0.0)])
def test_it_says_how_long_it_wants_to_be_left_alone(there: OtlpReceiver, said: str, after: float) -> None:
    there.status, there.more = 503, {"Retry-After": said}
    found = refusal(Receiver(there.url))
    assert isinstance(found, Away)
    assert found.after == after


def test_it_says_what_it_has_not_taken(there: OtlpReceiver) -> None:
    there.rejects = 3
    with closing(Receiver(there.url)) as receiver:
        assert receiver.send(BODY) == "3 spans were rejected: 'too old'"


def test_nobody_there() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    assert str(refusal(Receiver(f"http://127.0.0.1:{port}"))) == "Connection refused"


def test_its_certificate_is_checked(certs: Path) -> None:
    with receiving(certs) as there:
        url = f"https://127.0.0.1:{there.port}"
        assert "certificate verify failed" in str(refusal(Receiver(url)))
        with closing(Receiver(url, ca=certs / "ca.pem")) as receiver:
            assert receiver.send(BODY) is None


def test_headers_are_read_each_time_and_never_told(there: OtlpReceiver, tmp_path: Path) -> None:
    file = tmp_path / "headers"
    assert str(file) in str(refusal(Receiver(there.url, file)))
    with closing(Receiver(there.url, file)) as receiver:
        for token in ("one", "two"):
            file.write_text(f"# mine\n\nAuthorization: Bearer {token}\nX-Team:  red\n")
            receiver.send(BODY)
    assert [each["authorization"] for each in there.headers] == ["Bearer one", "Bearer two"]
    assert there.headers[0]["x-team"] == "red"
    file.write_text("secret without a name\n")
    found = refusal(Receiver(there.url, file))
    assert "write one NAME: VALUE a line" in str(found)
    assert "secret" not in str(found)
