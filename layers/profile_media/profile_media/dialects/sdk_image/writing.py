"""PUT /v1/users/{user_id}: what an administrator writes of a user, all of it at once."""

from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from profile_media.domain.errors import RequestInvalid
from profile_media.domain.model import Identity
from profile_media.http.json_body import parse_object
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
    """The body, as docs/dialects/sdk_image.md has it; what is missing or null the user does not have."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    first_name: Text | None = None
    last_name: Text | None = None
    username: Text | None = None
    email_address: EmailAddress | None = Field(None, validation_alias=AliasChoices("email_address", "email"))
    email_verified: bool = False
    phone_number: Text | None = None
    image_url: PictureUrl | None = None
    role: Text | None = None


def parse_identity(request: Request) -> Identity:
    """Who the user is to be; raises RequestInvalid naming the fields."""
    try:
        body = UserBody.model_validate(parse_object(request))
    except ValidationError as error:
        raise RequestInvalid(tuple(_details(error))) from None
    return Identity(
        email=body.email_address,
        email_verified=body.email_verified and body.email_address is not None,
        first_name=body.first_name,
        last_name=body.last_name,
        phone_number=body.phone_number,
        username=body.username,
        picture_url=body.image_url,
        role=body.role,
    )


def _details(error: ValidationError) -> list[str]:
    """Which field is wrong and how, never what was sent."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in problems]
