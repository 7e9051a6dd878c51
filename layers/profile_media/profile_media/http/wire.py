"""Definitions for the types of answers. Nothing here runs in a handler: tools/openapi reads it for
docs/openapi.yaml."""

from typing import Annotated

from pydantic import ConfigDict, Field, with_config

documented = with_config(ConfigDict(extra="forbid", use_attribute_docstrings=True))
"""Marks a TypedDict of an answer: it has no other members, and the docstrings of its members are descriptions."""

Moment = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$", json_schema_extra={"format": "date-time"}),
]
"""A time as `links.iso` formats it."""

Url = Annotated[str, Field(min_length=1, json_schema_extra={"format": "uri"})]
Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
Pixels = Annotated[int, Field(ge=1)]
