"""The options of the engine ``http``."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

from executor.drivers.base import NoOptions
from executor.drivers.http.request import METHODS

CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
LOWEST, HIGHEST = 100, 599
POINTER = re.compile(r"(/([^~/]|~[01])*)*")


def _status(value: Any) -> None:
    number = isinstance(value, int) and not isinstance(value, bool) and LOWEST <= value <= HIGHEST
    if not number and value not in CLASSES:
        raise ValidationError('must be a status such as 200, or a class of them such as "2xx"')


def _pointer(text: str) -> None:
    if not POINTER.fullmatch(text):
        raise ValidationError("must be a JSON Pointer (RFC 6901), such as /items/0/name")


class Options(NoOptions):
    """What is asked for, and what to make of the answer. Of the request, arguments say the same and win."""

    method = fields.String(validate=validate.OneOf(METHODS))
    headers = fields.Dict(keys=fields.String(), values=fields.String())
    body = fields.String(metadata={"description": "a text"})
    json = fields.Raw(allow_none=True, metadata={"description": "a body of JSON"})
    expect = fields.List(fields.Raw(validate=_status), load_default=["2xx"], validate=validate.Length(min=1))
    outputs = fields.Dict(keys=fields.String(), values=fields.String(validate=_pointer), load_default={})
    follow_redirects = fields.Boolean(load_default=False, truthy={True}, falsy={False})
