"""What a node says of its request: the URL, options and arguments, with its variables put in."""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

from gorchestrator import __version__
from gorchestrator.common import traceparent

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # may be sent again: they change nothing
OURS = frozenset({"content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
VARIABLE = re.compile(r"\$(\$\{)|\$\{([^{}]{0,255})\}")
ARGUMENTS = "url, method, body, json, basic, header:NAME, query:NAME, set:NAME"
LIMIT = 2**20  # bytes of what variables are put into: one of 64 KiB may name one of 128 KiB thousands of times
UPWARD = frozenset({".", ".."})


class Unclear(ValueError):
    """The request cannot be made; the text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request."""

    method: str
    url: str
    headers: Mapping[str, bytes]
    body: bytes | None

    @property
    def safe(self) -> bool:
        """Whether it may be sent twice."""
        return self.method in SAFE

    def elsewhere(self, location: str, status: int) -> "Request":
        """Return the request that follows a redirect. Raises :class:`Unclear` if it must not be followed."""
        try:
            url = urljoin(self.url, location)
        except ValueError:
            url = location  # which says what is wrong with it
        old, new = urlsplit(self.url), _checked(url)
        if old.scheme == "https" and new.scheme != "https":
            raise Unclear(f"the redirect from https to {new.scheme}://{new.hostname} is not followed")
        # As browsers do: 307 and 308 keep the method, the others ask for a page.
        keeps = status in {307, 308} or self.safe
        same = (old.scheme, old.hostname, old.port) == (new.scheme, new.hostname, new.port)
        if keeps and self.body is not None and not same:
            raise Unclear(
                f"the redirect to {new.scheme}://{new.netloc} is not followed: it would send the body to another server"
            )
        headers = self.headers if same else {"User-Agent": self.headers["User-Agent"]}
        if keeps:
            return replace(self, url=url, headers=headers)
        kept = {name: value for name, value in headers.items() if name.lower() != "content-type"}
        return Request("GET", url, kept, None)


def made(
    artifact: str,
    args: Sequence[str],
    options: Mapping[str, Any],
    env: Mapping[str, str],
    context: str | None = None,
) -> Request:
    """Return the request of a node; ``env``: its variables, ``context``: that of its trace. Raises :class:`Unclear`."""
    said = _Said.of(args, options)
    variables = {**env, **said.variables}
    url = said.url or artifact
    fill = _filler(variables, lambda text: quote(text, safe=""))
    plain = _filler(variables, str)
    query = urlencode(said.query, quote_via=quote)
    headers = {"User-Agent": f"gorchestrator/{__version__}", "Accept": "*/*", **said.headers}
    body, kind = said.content(plain)
    given = {name.lower() for name in headers}
    if kind and "content-type" not in given:
        headers["Content-Type"] = kind
    if context and traceparent.HEADER not in given:
        headers[traceparent.HEADER] = context
    if said.basic is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(plain(said.basic).encode()).decode()
    method = said.method or ("GET" if body is None else "POST")
    if method not in METHODS:
        raise Unclear(f"method {method!r} is none of {', '.join(METHODS)}")
    whole = _with_query(fill(url), query)
    if UPWARD & set(unquote(_checked(whole).path).split("/")):  # what is sent would have one step less
        raise Unclear("a step of the URL's path is . or .., perhaps by the value of a variable")
    return Request(method, whole, _encoded(headers, plain), body)


@dataclass
class _Said:
    """Options and arguments, as they were given. Arguments win."""

    method: str
    headers: dict[str, str]
    body: str | None
    json: Any
    has_json: bool
    url: str = ""
    basic: str | None = None
    query: list[tuple[str, str]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, args: Sequence[str], options: Mapping[str, Any]) -> "_Said":
        said = cls(
            method=options.get("method", ""),
            headers=dict(options.get("headers", {})),
            body=options.get("body"),
            json=options.get("json"),
            has_json="json" in options,
        )
        for arg in args:
            said._take(*arg.partition("="))
        if said.body is not None and said.has_json:
            raise Unclear("body and json exclude each other")
        return said

    def content(self, fill: Callable[[str], str]) -> tuple[bytes | None, str]:
        """Return the body and its type."""
        if self.has_json:
            return _json(self.json, fill), "application/json"
        return (None, "") if self.body is None else (fill(self.body).encode(), "text/plain; charset=utf-8")

    def _take(self, key: str, equals: str, value: str) -> None:
        kind, _, name = key.partition(":")
        if kind in {"header", "query", "set"} and name and equals:
            self._take_named(kind, name, value)
        elif key == "json" and equals:
            try:
                self.json, self.has_json = json.loads(value), True
            except (ValueError, RecursionError):
                raise Unclear(f"argument json is not JSON: {value[:100]!r}") from None
        elif key in {"url", "method", "body", "basic"} and equals:
            setattr(self, key, value)
        else:
            raise Unclear(f"argument {key[:100]!r} is none of: {ARGUMENTS}, each followed by = and a value")

    def _take_named(self, kind: str, name: str, value: str) -> None:
        if kind == "header":
            self.headers = {old: text for old, text in self.headers.items() if old.lower() != name.lower()}
            self.headers[name] = value
        elif kind == "query":
            self.query.append((name, value))
        else:
            self.variables[name] = value


def _filler(variables: Mapping[str, str], treat: Callable[[str], str]) -> Callable[[str], str]:
    """Return what replaces ``${NAME}`` in texts, in one go; ``$${`` stands for ``${``."""
    size = 0

    def value(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        if found[2] not in variables:
            raise Unclear(f"the node has no variable {found[2][:100]!r}: name it in env, or in an argument set:NAME=…")
        nonlocal size
        size += len(variables[found[2]].encode())
        if size > LIMIT:
            raise Unclear(f"the values of its variables make more than {LIMIT} bytes of it")
        return treat(variables[found[2]])

    return lambda text: VARIABLE.sub(value, text)


def _json(document: Any, fill: Callable[[str], str]) -> bytes:
    try:
        return json.dumps(_filled(document, fill), ensure_ascii=False).encode()
    except RecursionError:
        raise Unclear("its json is nested too deeply") from None


def _filled(document: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(document, str):
        return fill(document)
    if isinstance(document, list):
        return [_filled(item, fill) for item in document]
    if isinstance(document, dict):
        return {key: _filled(item, fill) for key, item in document.items()}
    return document


def _encoded(headers: Mapping[str, str], fill: Callable[[str], str]) -> dict[str, bytes]:
    found = {}
    for name, text in headers.items():
        if not TOKEN.fullmatch(name) or name.lower() in OURS:
            raise Unclear(f"header {name[:100]!r} cannot be set")
        value = fill(text).strip()
        if any(char in value for char in "\r\n\0"):
            raise Unclear(f"header {name} must be one line")
        found[name] = value.encode()
    return found


def _with_query(url: str, query: str) -> str:
    bare = url.partition("#")[0]
    return bare + ("&" if "?" in bare else "?") + query if query else bare


def _checked(url: str) -> Any:
    """Return the parts of a URL. Raises :class:`Unclear`."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        sound = False
    if not sound or any(ord(char) <= ord(" ") or char == "\\" for char in url):
        raise Unclear("that is no URL: write http://HOST… or https://HOST…, without blanks")
    if "@" in parts.netloc:
        raise Unclear("a URL must not hold a name and a password: use the argument basic=NAME:PASSWORD")
    return parts
