"""A yes or no of a document. It stands here because several schemas have one, and marshmallow's own is too kind."""

from collections.abc import Mapping
from typing import Any

from marshmallow import fields


class TrueOrFalse(fields.Boolean):
    """``true`` or ``false`` as JSON has them. To Python 1 and 0 are equal to these; here they are faults."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value
