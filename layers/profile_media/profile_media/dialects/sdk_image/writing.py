"""PUT /v1/users/{user_id}: an administrator writes a user's identity, all of it at once."""

from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field

from profile_media.domain.model import Identity
from profile_media.http.json_body import parse_body
from profile_media.http.request import Request


def _text(text: str) -> str:
    if not text.isprintable() or text != text.strip():
        raise ValueError("must be printable, without space around it")
    return text


type Text = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_text)]
type EmailAddress = Annotated[str, Field(max_length=254, pattern=r"^[^\s@\"\\]+@[^\s@\"\\]+$"), AfterValidator(_text)]
type PictureUrl = Annotated[
    str,
    Field(
        max_length=2048,
        pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?$",
    ),
]


class UserBody(BaseModel):
    """The body, as docs/dialects/sdk_image.md describes it. A member that is missing or null is cleared."""

    # The fields are those of `model.Identity` that an administrator may write, with the SDK's names as aliases.

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    first_name: Text | None = None
    last_name: Text | None = None
    username: Text | None = None
    email: EmailAddress | None = Field(None, validation_alias=AliasChoices("email_address", "email"))
    email_verified: bool = False
    phone_number: Text | None = None
    picture_url: PictureUrl | None = Field(None, validation_alias="image_url")
    role: Text | None = None


def parse_identity(request: Request) -> Identity:
    """Parse the user's new identity. Raise RequestInvalid with one message per wrong field."""
    said = parse_body(request, UserBody).model_dump()
    said["email_verified"] = said["email_verified"] and said["email"] is not None
    return Identity(**said)
