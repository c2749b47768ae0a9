"""Refuses a query with a parameter that the route does not have: a misspelt filter would select everything.

What a route has is what its docs say, so the two cannot differ. It is about the API that people and their scripts call:
what probes ask and what one service asks another of another version may have more.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from flask import Flask, request
from werkzeug.routing import Rule

from gorchestrator.common.http.problems import BadQuery

PREFIX = "/v1/"
_REFERENCE = "#/components/parameters/"
_METHODS = {"HEAD": "GET"}  # answered by the view of another one


def refuse_unknown(app: Flask, spec: Mapping[str, Any]) -> None:
    """Check the queries of the API's routes in an OpenAPI document, which is told that they may be refused.

    It comes after whoever has been given requests to look at before.
    """
    shared = spec.get("components", {}).get("parameters", {})
    known = {
        (path, method.upper()): [each["name"] for each in _parameters(found, shared) if each["in"] == "query"]
        for path, methods in spec["paths"].items()
        for method, found in methods.items()
        if path.startswith(PREFIX)
    }
    for path, method in known:
        spec["paths"][path][method.lower()]["responses"].setdefault("422", {"$ref": "#/components/responses/Problem"})

    @app.before_request
    def check() -> None:
        if not request.args or request.url_rule is None:
            return
        names = known.get((path_of(request.url_rule), _METHODS.get(request.method, request.method)))
        if names is not None:
            for given in request.args:
                if given not in names:
                    raise BadQuery(_refusal(given, names))


def path_of(rule: Rule) -> str:
    """Return the path of a route as OpenAPI writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _parameters(operation: Mapping[str, Any], shared: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = operation.get("parameters", ())
    return [shared[each["$ref"].removeprefix(_REFERENCE)] if "$ref" in each else each for each in found]


def _refusal(given: str, names: list[str]) -> str:
    close = difflib.get_close_matches(given, names, n=1)
    if close:
        return f"There is no parameter {given[:100]!r}; did you mean {close[0]}?"
    there = f"those of this route are {', '.join(names)}" if names else "this route has none"
    return f"There is no parameter {given[:100]!r}; {there}."
