"""The API docs of a service: ``/apispec.json`` (OpenAPI 3) and ``/apidocs/`` (Swagger UI), from docstrings and schemas.

A view's docstring has its operation as YAML below ``---``. Pages load nothing from outside: flasgger brings Swagger UI
along, and our ``templates/flasgger/head.html`` stands in for its own, which links a web font.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from inspect import cleandoc
from typing import Any

import yaml
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flasgger import APISpec, Swagger
from flask import Blueprint, Flask
from marshmallow import Schema

from gorchestrator.common.http import headers, problems, queries

OPENAPI = "3.0.3"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What every route may refer to as `#/components/responses/Problem`; the schemas must have `Problem`.
PROBLEM = {
    "description": "an error: what is wrong and what to do",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def install(
    app: Flask,
    *,
    title: str,
    description: str,
    version: str,
    schemas: Mapping[str, type[Schema]],
    views: Iterable[Callable[..., Any]],
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    schemes: Mapping[str, Mapping[str, Any]] | None = None,
    strict: bool = False,
) -> None:
    """Add the docs.

    ``schemas``: names in ``#/components/schemas`` (a nested schema must come before its user). ``parameters``: what
    several views refer to as ``#/components/parameters/NAME``. ``schemes``: how callers show who they are, where they
    have to. ``strict``: whether queries are refused that have other parameters than the docs.
    """
    # A blueprint, because an application may have a template folder of its own.
    app.register_blueprint(Blueprint("apidocs_pages", __name__, template_folder="templates"))
    marshmallow = MarshmallowPlugin(schema_name_resolver=partial(_name, schemas))
    spec = APISpec(
        title=title,
        version=version,
        openapi_version=OPENAPI,
        info={"description": description},
        security=[{}, *({name: []} for name in schemes or ())],
        plugins=[marshmallow],
    )
    spec.components.response("Problem", PROBLEM)
    for name, parameter in (parameters or {}).items():
        spec.components.parameter(name, parameter["in"], dict(parameter))
    for name, scheme in (schemes or {}).items():
        spec.components.security_scheme(name, dict(scheme))
    for name, schema in schemas.items():
        spec.components.schema(name, schema=schema)
    endpoints = {view: endpoint for endpoint, view in app.view_functions.items()}
    for view in views:
        (rule,) = app.url_map.iter_rules(endpoints[view])
        spec.path(queries.path_of(rule), operations=_operations(view))
    template = spec.to_flasgger(app)
    if strict:
        queries.refuse_unknown(app, template)
    Swagger(app, config=_config(title), template=template, merge=True)
    headers.permit(app, "flasgger", headers.SWAGGER_UI)


def _operations(view: Callable[..., Any]) -> dict[str, Any]:
    """Return the operations of a view: its docstring has all of them, or each method of its class one."""
    kind = getattr(view, "view_class", None)
    if kind is None:
        return _below(view)
    return {name.lower(): _below(getattr(kind, name.lower())) for name in kind.methods}


def _below(function: Callable[..., Any]) -> dict[str, Any]:
    """Return what a docstring has below ``---``. libyaml reads it, where it is there, in a sixth of the time."""
    _, _, text = cleandoc(function.__doc__ or "").partition("\n---\n")
    found: dict[str, Any] = yaml.load(text, Loader=_LOADER)  # noqa: S506  (both loaders are safe ones)
    return found


def _name(schemas: Mapping[str, type[Schema]], schema: Any) -> str:
    known = resolve_schema_cls(schema)
    names = [name for name, wanted in schemas.items() if wanted is known]
    return names[0] if names else getattr(known, "__name__", "").removesuffix("Schema")


def _config(title: str) -> dict[str, Any]:
    spec = {
        "endpoint": "apispec",
        "route": "/apispec.json",
        # The template above says it all; flasgger itself need not look for views.
        "rule_filter": lambda _rule: False,
        "model_filter": lambda _tag: True,
    }
    return {"openapi": OPENAPI, "title": title, "specs": [spec], "headers": [], "auth": {}, "hide_top_bar": True}
