"""What a node of the engine ``http`` says of its request, and which redirects it may follow."""

import json
from typing import Any

import pytest

from executor.drivers.http.request import Request, Unclear, made

URL = "https://example.com/a"


def request(*args: str, url: str = URL, env: dict[str, str] | None = None, **options: Any) -> Request:
    return made(url, args, options, env or {})


@pytest.mark.parametrize(
    ("arg", "why"),
    [
        ("GET", "argument 'GET' is none of: url, method"),
        ("methode=GET", "argument 'methode' is none of"),
        ("header:=x", "argument 'header:' is none of"),
        ("cookie:a=b", "argument 'cookie:a' is none of"),
        ("method=TRACE", "method 'TRACE' is none of GET, HEAD"),
        ("method=get", "method 'get' is none of"),
        ("json={", "argument json is not JSON: '{'"),
        ("json=" + "[" * 100_000, "argument json is not JSON"),
        ("header:X=a\nb", "header X must be one line"),
        ("header:X Y=a", "header 'X Y' cannot be set"),
        ("header:Content-Length=5", "header 'Content-Length' cannot be set"),
        ("header:transfer-encoding=chunked", "header 'transfer-encoding' cannot be set"),
        ("header:X=${TOKEN}", "the node has no variable 'TOKEN'"),
        ("url=ftp://example.com", "that is no URL"),
        ("url=//example.com", "that is no URL"),
        ("url=http://", "that is no URL"),
        ("url=http://a b/", "that is no URL"),
        ("url=http://a\\b/", "that is no URL"),
        ("url=http://a:99999/", "that is no URL"),
        ("url=http://[::1/", "that is no URL"),
        ("url=http://a/../b", "a step of the URL's path is . or .."),
        ("url=http://me:word@example.com/", "must not hold a name and a password"),
    ],
)
def test_what_cannot_be_sent_is_said(arg: str, why: str) -> None:
    with pytest.raises(Unclear) as caught:
        request(arg)
    assert why in str(caught.value)


def test_one_body_only() -> None:
    with pytest.raises(Unclear, match="exclude each other"):
        request("body=a", "json=1")


def test_variables_are_replaced_once_and_encoded_for_urls() -> None:
    env = {"A": "${B}/&", "B": "never"}
    found = request("body=${A} $${A} $A", "header:X=${A}", url="https://example.com/${A}?q=${A}", env=env)
    assert found.url == "https://example.com/%24%7BB%7D%2F%26?q=%24%7BB%7D%2F%26"
    assert found.body == b"${B}/& ${A} $A"
    assert found.headers["X"] == b"${B}/&"


@pytest.mark.parametrize("value", ["..", "."])
def test_a_variable_does_not_lead_out_of_its_place(value: str) -> None:
    for url in ("https://example.com/projects/${ID}/releases", "https://example.com/a/${ID}"):
        with pytest.raises(Unclear, match=r"a step of the URL's path is \. or \.\."):
            request(url=url, env={"ID": value})
    assert request(url="https://example.com/a${ID}?q=${ID}", env={"ID": value}).url == f"{URL}{value}?q={value}"
    with pytest.raises(Unclear, match="a step of the URL's path"):
        request(url="https://example.com/%2E${ID}/b", env={"ID": "."})


def test_values_do_not_make_a_request_without_bounds() -> None:
    env = {"A": "x" * 131_071}
    assert len(request("body=" + "${A}" * 8, env=env).body or b"") == 8 * 131_071
    for arg in ("body=" + "${A}" * 9, "json=" + json.dumps(["${A}"] * 9), "header:X=" + "${A}" * 9):
        with pytest.raises(Unclear, match="make more than 1048576 bytes"):
            request(arg, env=env)
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    with pytest.raises(Unclear, match="nested too deeply"):
        request(json=nested)


def test_the_last_word_on_a_header_is_the_argument_whatever_its_case() -> None:
    found = request("header:content-type=text/a", headers={"Content-Type": "text/b"}, json=[1])
    assert {name: value for name, value in found.headers.items() if name.lower() == "content-type"} == {
        "content-type": b"text/a"
    }


def test_a_redirect_does_not_leave_https() -> None:
    with pytest.raises(Unclear, match=r"from https to http://example\.com is not followed"):
        request().elsewhere("http://example.com/b", 302)


@pytest.mark.parametrize("location", ["//[", "http://[::1", "http://a b/", "https://me:word@example.com/"])
def test_a_redirect_to_nowhere_is_said(location: str) -> None:
    with pytest.raises(Unclear, match="URL"):
        request().elsewhere(location, 302)


def test_redirects_change_the_method_as_browsers_do() -> None:
    post = request("body=x", "header:X=y")
    for status in (301, 302, 303):
        found = post.elsewhere("https://example.com/b", status)
        assert (found.method, found.url, found.body) == ("GET", "https://example.com/b", None)
        assert (found.headers["X"], "Content-Type" in found.headers) == (b"y", False)
    found = post.elsewhere("https://example.com/b", 307)
    assert (found.method, found.body, found.headers["Content-Type"]) == ("POST", b"x", b"text/plain; charset=utf-8")
    head = request("method=HEAD").elsewhere("https://example.com/b", 303)
    assert head.method == "HEAD"


def test_headers_are_for_the_server_that_they_were_given_for() -> None:
    for url in ("https://example.org/", "https://example.com:444/", "https://a.example.com/"):
        assert request("header:X=y").elsewhere(url, 302).headers.keys() == {"User-Agent"}
        with pytest.raises(Unclear, match="would send the body to another server"):
            request("body=x").elsewhere(url, 307)


def test_the_request_carries_the_context_unless_it_has_its_own() -> None:
    context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    found = made(URL, (), {}, {}, context)
    assert found.headers["traceparent"] == context.encode()
    assert "traceparent" not in found.elsewhere("https://elsewhere.example/", 302).headers
    own = made(URL, ("header:TraceParent=mine",), {}, {}, context).headers
    assert [value for name, value in own.items() if name.lower() == "traceparent"] == [b"mine"]
