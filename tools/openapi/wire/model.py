"""What all bodies share: nothing beside what is named, and a field's docstring is its description."""

from typing import Annotated

from pydantic import AnyUrl, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

Absent = SkipJsonSchema[None]
"""Makes `X | Absent = None` a member that is left out where there is none, and never null."""

Moment = Annotated[
    str,
    Field(pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$", json_schema_extra={"format": "date-time"}),
]
Url = AnyUrl


class Wire(BaseModel):
    """A body with its members as they are named here."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Camel(Wire):
    """A body with its members in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel)


class Sent(Camel):
    """A request's body; members that are not named here are passed over."""

    model_config = ConfigDict(extra="ignore")
