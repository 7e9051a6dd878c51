"""PATCH /media/uploads/{uploadId}: crop a picture again, or describe it."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from profile_media.dialects.native.showable import AltText
from profile_media.domain.update import UNCHANGED, UploadChange
from profile_media.http.framing import CropBody, FocusBody, framing_of
from profile_media.http.json_body import parse_body
from profile_media.http.request import Request


class UpdateBody(BaseModel):
    """The body, as docs/dialects/native.md describes it. Every member may be null, which returns to the default."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, use_attribute_docstrings=True, json_schema_extra={"minProperties": 1}
    )

    crop: CropBody | None = None
    """The part to show. Not together with `focus`."""
    focus: FocusBody | None = None
    """The point to keep in every derivative."""
    alt_text: AltText | None = Field(None, alias="alt")
    """A text for people who do not see the picture."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        framing_of(self.crop, self.focus)
        if not self.model_fields_set:
            raise ValueError("crop, focus or alt is required")
        return self


def parse_change(request: Request) -> UploadChange:
    """Return what the request changes. Raise RequestInvalid."""
    body = parse_body(request, UpdateBody)
    reframes = body.model_fields_set & {"crop", "focus"}
    return UploadChange(
        framing=framing_of(body.crop, body.focus) if reframes else UNCHANGED,
        alt_text=body.alt_text if "alt_text" in body.model_fields_set else UNCHANGED,
    )
