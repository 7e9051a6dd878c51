"""Builders of valid values, one per noun. A test passes the fields that matter to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from profile_media.domain import keys
from profile_media.domain.formats import ContentType
from profile_media.domain.intend import IntentRequest
from profile_media.domain.model import (
    Derivative,
    Slot,
    State,
    Upload,
)
from profile_media.domain.policy import SIZES

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
ADA = "auth0|ada"
GRACE = "auth0|grace"


def an_id(number: int) -> str:
    """Return an upload id that sorts by its number."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def a_derivative(**changes: Any) -> Derivative:
    """Return a public derivative."""
    content = changes.pop("content", b"webp")
    derivative = Derivative(
        name="full",
        digest=keys.digest(content),
        content_type=ContentType.WEBP,
        width=512,
        height=512,
        size=len(content),
    )
    return replace(derivative, **changes)


def derivatives_for(slot: Slot) -> tuple[Derivative, ...]:
    """Return the derivatives that processing makes for a slot."""
    shown = tuple(
        a_derivative(name=size.name, width=size.width, height=size.height, content=f"{slot}{size.name}".encode())
        for size in SIZES[slot]
    )
    return (*shown, a_derivative(name="master", width=2048, height=1536, content_type=ContentType.JPEG))


def an_upload(**changes: Any) -> Upload:
    """Return a pending avatar upload of Ada's that expires in an hour."""
    upload = Upload(
        owner_id=ADA,
        upload_id=an_id(1),
        slot=Slot.AVATAR,
        state=State.PENDING,
        content_type=ContentType.JPEG,
        content_length=1000,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    return replace(upload, **changes)


def a_ready_upload(**changes: Any) -> Upload:
    """Return a ready upload that expires in a day."""
    slot = changes.get("slot", Slot.AVATAR)
    ready: dict[str, Any] = {
        "state": State.READY,
        "width": 4000,
        "height": 3000,
        "derivatives": derivatives_for(slot),
        "expires_at": NOW + timedelta(hours=24),
    }
    return an_upload(**(ready | changes))


def an_intent_request(**changes: Any) -> IntentRequest:
    """Return a request for an avatar."""
    return replace(IntentRequest(Slot.AVATAR, ContentType.JPEG, 1000), **changes)


def a_bound_upload(**changes: Any) -> Upload:
    """Return a bound upload, which does not expire."""
    return replace(a_ready_upload(state=State.BOUND, expires_at=None), **changes)
