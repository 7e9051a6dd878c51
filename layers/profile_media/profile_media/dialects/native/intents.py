"""POST /media/intents: announce a picture, and receive the form to upload it with."""

import re
from base64 import b64decode, b64encode
from http import HTTPStatus
from typing import Annotated, Literal, Self, TypedDict

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from profile_media.dialects.native.showable import AltText
from profile_media.dialects.native.slots import NAMES, SLOTS, SlotName
from profile_media.domain.errors import RequestInvalid, TypeUnsupported
from profile_media.domain.formats import ACCEPTED, ContentType
from profile_media.domain.intend import Intent, IntentRequest
from profile_media.domain.keys import is_owner_id
from profile_media.domain.model import State
from profile_media.domain.policy import MAX_OWNER_BYTES
from profile_media.domain.users import check_may_act
from profile_media.http.framing import CropBody, FocusBody, framing_of
from profile_media.http.json_body import parse_body
from profile_media.http.links import Links, iso
from profile_media.http.request import Request, Response
from profile_media.http.wire import Moment, Url, Uuid, documented

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def _sha256(text: str) -> str:
    try:
        digest = b64decode(text, validate=True)
        if len(digest) != 32 or b64encode(digest).decode() != text:  # S3 accepts only the canonical spelling
            raise ValueError
    except ValueError:
        raise ValueError("must be the base64 of a SHA-256 digest") from None
    return text


def _owner_id(text: str) -> str:
    if not is_owner_id(text):
        raise ValueError(f"must be 1 to {MAX_OWNER_BYTES} bytes of printable text")
    return text


class _Body(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", alias_generator=to_camel, frozen=True, use_attribute_docstrings=True
    )


class OwnerBody(_Body):
    """The user whom an administrator asks for."""

    user_id: Annotated[str, AfterValidator(_owner_id)]


class IntentBody(_Body):
    """The body, as docs/dialects/native.md describes it."""

    slot: SlotName
    content_type: str
    content_length: Annotated[int, Field(ge=1)]
    checksum_sha256: Annotated[str, AfterValidator(_sha256)] | None = Field(None, alias="checksumSha256")
    owner: OwnerBody | None = None
    bind: bool = False
    """Bind the upload as soon as it is ready, without another request."""
    crop: CropBody | None = None
    """The part to show. Not together with `focus`."""
    focus: FocusBody | None = None
    """The point to keep in every derivative."""
    alt_text: AltText | None = Field(None, alias="alt")
    """A text for people who do not see the picture."""

    @model_validator(mode="after")
    def _check_framing(self) -> Self:
        framing_of(self.crop, self.focus)
        return self


@documented
class Form(TypedDict):
    """The form that carries the picture to storage."""

    method: Literal["POST"]
    url: Url
    fields: dict[str, str]
    """To be sent as they are and in this order, with the part `file` last."""


@documented
class IntentPromise(TypedDict):
    """An upload that is waiting for its picture."""

    uploadId: Uuid
    publicId: str
    slot: SlotName
    state: State
    expiresAt: Moment | None
    upload: Form


def parse_intent(request: Request, accepted: frozenset[ContentType] = ACCEPTED) -> tuple[str, IntentRequest]:
    """Return the owner's user id and the request. Raise RequestInvalid, TypeUnsupported or OwnerForbidden."""
    body = parse_body(request, IntentBody)
    owner_id = body.owner.user_id if body.owner else request.caller.user_id
    check_may_act(request.caller, owner_id)
    if body.content_type not in accepted:
        raise TypeUnsupported(body.content_type, accepted)
    return owner_id, IntentRequest(
        slot=SLOTS[body.slot],
        content_type=ContentType(body.content_type),
        content_length=body.content_length,
        checksum_sha256=body.checksum_sha256,
        idempotency_key=_idempotency_key(request),
        bind=body.bind,
        framing=framing_of(body.crop, body.focus),
        alt_text=body.alt_text,
    )


def render_intent(intent: Intent, links: Links) -> Response:
    """Render the pending upload and the form to send with the picture."""
    upload, post = intent.upload, intent.post
    body: IntentPromise = {
        "uploadId": upload.upload_id,
        "publicId": links.public_id(upload),
        "slot": NAMES[upload.slot],
        "state": upload.state,
        "expiresAt": iso(upload.expires_at) if upload.expires_at else None,
        "upload": {"method": "POST", "url": post.url, "fields": dict(post.fields)},
    }
    return Response(HTTPStatus.CREATED, body)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and _IDEMPOTENCY_KEY.fullmatch(key) is None:
        raise RequestInvalid(("Idempotency-Key must be 1 to 255 visible ASCII characters",))
    return key
