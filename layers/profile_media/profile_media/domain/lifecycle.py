"""When an upload is gone, and when it next would be.

DynamoDB removes an expired row late, by up to days, so every reader asks here instead of trusting that a row exists.
"""

from datetime import datetime, timedelta

from profile_media.domain.model import State, Upload
from profile_media.domain.policy import Lifetimes


def is_expired(upload: Upload, now: datetime) -> bool:
    """Whether the row has expired, removed or not."""
    return upload.expires_at is not None and upload.expires_at <= now


def is_open(upload: Upload | None, now: datetime) -> bool:
    """Whether the upload still waits for its picture, and so counts against its owner's open intents."""
    return upload is not None and upload.state is State.PENDING and not is_expired(upload, now)


def post_expiry(upload: Upload, lifetimes: Lifetimes, signed_at: datetime) -> datetime:
    """When a grant ends: never after the upload it is for, or a late POST could find its row already purged."""
    expiry = signed_at + lifetimes.grant
    return min(expiry, upload.expires_at) if upload.expires_at else expiry


def expiry(now: datetime, lifetime: timedelta) -> datetime:
    """When something that starts now ends, up to the next whole second: DynamoDB's TTL counts in seconds."""
    end = now + lifetime
    return end if not end.microsecond else end.replace(microsecond=0) + timedelta(seconds=1)
