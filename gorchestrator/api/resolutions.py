"""The route by which people say how an attempt counts of which nobody knows how it ended. Its docstring is its docs."""

from typing import Any

from flask import current_app, request
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from gorchestrator.api import answers
from gorchestrator.api.context import blueprint, service, who
from gorchestrator.api.gorch import NAME_LENGTH, NAMES, Length
from gorchestrator.common import wire
from gorchestrator.common.http import body
from gorchestrator.domain.records import Answer


def _value(value: str) -> None:
    wire.text(value)
    if len(value.encode()) > wire.VALUE_LIMIT:
        raise ValidationError(f"is longer than {wire.VALUE_LIMIT} bytes")


def _outputs(values: dict[str, str]) -> None:
    if sum(len(name.encode()) + len(value.encode()) for name, value in values.items()) > wire.OUTPUT_LIMIT:
        raise ValidationError(f"is larger than {wire.OUTPUT_LIMIT} bytes in all")


class ResolveSchema(Schema):
    """How an attempt counts."""

    class Meta:
        """An unknown key is a mistake and not ignored."""

        unknown = RAISE

    as_ = fields.String(
        data_key="as",
        required=True,
        validate=validate.OneOf([*Answer]),
        metadata={"description": "how the attempt counts; retry makes another one", "example": "success"},
    )
    output = fields.Dict(
        keys=fields.String(validate=[Length(NAME_LENGTH), wire.text]),
        values=fields.String(validate=_value),
        load_default=dict,
        validate=[Length(NAMES), _outputs],
        metadata={"description": "what it has produced, for a success", "example": {"colour": "blue"}},
    )

    @validates_schema
    def _only_with_success(self, wanted: dict[str, Any], **_: Any) -> None:
        if wanted["output"] and wanted["as_"] != Answer.SUCCESS:
            raise ValidationError("can only come with a success", "output")


_SCHEMA = ResolveSchema()


@blueprint.post("/tasks/<task_id>/nodes/<path:node>/resolve")
def resolve(task_id: str, node: str) -> Any:
    """Say how an attempt counts.

    ---
    post:
      tags: [tasks]
      summary: Say how an attempt counts of which nobody knows how it ended
      description: >-
        For a node that asks (`on_lost: ask`), or whose executor does not answer. What may still run of it is killed
        when its executor is back.
      parameters:
        - TaskId
        - NodeName
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Resolve"}
            example: {as: success, output: {colour: blue}}
      responses:
        202:
          description: it is stored, and takes effect at once; also if the same was said before
          content: {application/json: {schema: {$ref: "#/components/schemas/Resolution"}}}
        400: {$ref: "#/components/responses/Problem"}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        404: {$ref: "#/components/responses/Problem"}
        409: {$ref: "#/components/responses/Problem"}
        408: {$ref: "#/components/responses/Problem"}
        413: {$ref: "#/components/responses/Problem"}
        415: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
        422: {$ref: "#/components/responses/Problem"}
        503: {$ref: "#/components/responses/Problem"}
    """
    wanted = body.load(_SCHEMA, body.read_json(request, current_app.config["BODY_LIMIT"]))
    said = service().tasks.resolve(task_id, node, Answer(wanted["as_"]), who(), wanted["output"])
    return answers.resolution(said), 202
