"""The route of the list of tasks: its filters, its order, its pages. Its docstring is the route's docs."""

import json
import time
from typing import Any

from flask import Response, request

from gorchestrator.api import answers
from gorchestrator.api.context import blueprint, principal, service
from gorchestrator.common.http import paging
from gorchestrator.common.http.parameters import flag, number, time_of
from gorchestrator.common.http.problems import BadQuery
from gorchestrator.common.states import State
from gorchestrator.domain.listing import Place, Sort, Wanted

_MOST = 1000
_FINAL = (State.SUCCESS, State.FAILURE, State.TIMEOUT, State.CANCELED)
_STATES = {state.label: state for state in (State.INITIAL, State.RUNNING, *_FINAL)}
_OPEN = frozenset({State.INITIAL, State.RUNNING})
_LABELS_MOST = 10
_NAME_MOST = 1000  # characters
_LATEST = 10.0**12  # seconds since the epoch


@blueprint.get("/tasks", strict_slashes=False)
def list_tasks() -> Response:
    """List the tasks.

    ---
    get:
      tags: [tasks]
      summary: The tasks, the newest first if nothing else is wanted, a page at a time
      parameters:
        - {in: query, name: limit, schema: {type: integer, minimum: 1, maximum: 1000, default: 100}}
        - in: query
          name: state
          description: "only tasks in these states, by name, separated by commas; `open`: all that have not ended"
          schema: {type: string}
          example: failure,timeout
        - in: query
          name: open
          description: "true is the same as `state=open`, beside other states too"
          schema: {type: boolean, default: false}
        - in: query
          name: name
          description: only tasks whose name contains this; ASCII letters in either case
          schema: {type: string, maxLength: 1000}
        - in: query
          name: label
          description: "only tasks with this label: `key` or `key=value`; up to 10 of them, which must all match"
          schema: {type: array, items: {type: string}, maxItems: 10}
        - in: query
          name: since
          description: only tasks accepted from this time on (RFC 3339, or seconds since the epoch)
          schema: {type: string}
        - in: query
          name: until
          description: only tasks accepted before this time
          schema: {type: string}
        - in: query
          name: sort
          description: >-
            `accepted`, `started`, `duration`, `name` or `state` (by its number); with a `-` before it, the last first
          schema: {type: string, default: -accepted}
        - in: query
          name: cursor
          description: "`next` of the page before; the other parameters must be the same"
          schema: {type: string}
      responses:
        200:
          description: the tasks
          headers: {Link: {description: "where the next page is, with `rel=next`", schema: {type: string}}}
          content: {application/json: {schema: {$ref: "#/components/schemas/List"}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        414: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    wanted = _wanted()
    page, seq = service().tasks.list(wanted)
    cursor = None if page.next is None else _cursor(wanted, page.next)
    answer = answers.page(page.tasks, cursor, seq)
    return Response(answer, headers=paging.next_link(request, cursor), content_type="application/json")


def _wanted() -> Wanted:
    sort = request.args.get("sort", "-accepted")
    if sort.removeprefix("-") not in set(Sort):
        raise BadQuery(
            f"Tasks cannot be sorted by {sort[:50]!r}; choose one of {', '.join(Sort)}, perhaps behind a `-`."
        )
    now, after = _place(sort)
    name = request.args.get("name", "")
    if len(name) > _NAME_MOST:
        raise BadQuery(f"The parameter name has {len(name)} characters; at most {_NAME_MOST} are taken.")
    if "\0" in name:  # there a pattern of SQLite ends
        raise BadQuery("The parameter name has a character NUL, as no task's name has.")
    return Wanted(
        now=now,
        states=_states(),
        name=name,
        labels=_labels() + _own_label(),
        since=time_of(request, "since"),
        until=time_of(request, "until"),
        sort=Sort(sort.removeprefix("-")),
        descending=sort.startswith("-"),
        after=after,
        limit=number(request, "limit", least=1, most=_MOST) or 100,
    )


def _own_label() -> tuple[tuple[str, str], ...]:
    """Return what everything has to carry that is there for who asks."""
    label = principal().label
    return () if label is None else (label,)


def _states() -> frozenset[State]:
    found: set[State] = set(_OPEN) if flag(request, "open") else set()
    for name in filter(None, ",".join(request.args.getlist("state")).split(",")):
        if name == "open":
            found |= _OPEN
        elif name in _STATES:
            found.add(_STATES[name])
        else:
            raise BadQuery(f"No task is ever {name[:50]!r}; the states are open, {', '.join(_STATES)}.")
    return frozenset(found)


def _labels() -> tuple[tuple[str, str | None], ...]:
    given = request.args.getlist("label")
    if len(given) > _LABELS_MOST:
        raise BadQuery(f"{len(given)} labels are given; at most {_LABELS_MOST} are looked for.")
    found = []
    for text in given:
        key, equals, value = text.partition("=")
        found.append((key, value if equals else None))
    return tuple(found)


def _cursor(wanted: Wanted, place: Place) -> str:
    now = wanted.now if wanted.sort is Sort.DURATION else 0
    inner = [("-" if wanted.descending else "") + wanted.sort, now, place.value, place.task]
    return paging.cursor(json.dumps(inner))


def _place(sort: str) -> tuple[float, Place | None]:
    """Return the time by which durations are compared, and where the page begins, as the cursor says."""
    text = request.args.get("cursor")
    if text is None:
        return time.time(), None
    try:
        of, now, value, task = json.loads(paging.place(text))
        found = _moment(now), Place(_key(str(of), value), _storable(task))
    except (ValueError, TypeError, OverflowError, RecursionError):  # whatever somebody may have written into it
        raise BadQuery("The parameter cursor is none that a page had as its next.") from None
    if of != sort:
        raise BadQuery("The cursor is of a list that is sorted otherwise; give the sort of the page before.")
    return found


def _key(sort: str, value: Any) -> int | str:
    if sort.removeprefix("-") == Sort.NAME:
        return _storable(value)
    found = int(value)
    if abs(found) >= 2**63:
        raise ValueError(found)
    return found


def _storable(value: Any) -> str:
    """Return a text that the store can compare with. Raises ValueError if it has a lone surrogate."""
    text = str(value)
    text.encode()
    return text


def _moment(value: Any) -> float:
    """Return seconds since the epoch. Raises ValueError if they are no time, such as NaN."""
    found = float(value)
    if not 0 <= found < _LATEST:
        raise ValueError(found)
    return found
