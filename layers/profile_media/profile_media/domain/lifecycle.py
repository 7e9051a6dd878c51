"""Decide whether an upload has expired, and when.

DynamoDB removes expired rows up to several days late, so code that reads a row must also check its expiry here.
"""

from datetime import datetime, timedelta

from profile_media.domain.model import State, Upload
from profile_media.domain.policy import Lifetimes


def is_expired(upload: Upload, now: datetime) -> bool:
    """Return whether the row has expired, whether or not it still exists."""
    return upload.expires_at is not None and upload.expires_at <= now


def is_open(upload: Upload | None, now: datetime) -> bool:
    """Return whether the upload still waits for its picture and so counts against the owner's open intents."""
    return upload is not None and upload.state is State.PENDING and not is_expired(upload, now)


def is_settled(upload: Upload) -> bool:
    """Return whether processing is complete, including the bind if the intent asked for one."""
    return upload.state not in {State.PENDING, State.READY} or (upload.state is State.READY and not upload.auto_bind)


def post_expiry(upload: Upload, lifetimes: Lifetimes, signed_at: datetime) -> datetime:
    """Return when a presigned POST expires. It never outlives its upload, whose row could already be purged."""
    expiry = signed_at + lifetimes.grant
    return min(expiry, upload.expires_at) if upload.expires_at else expiry


def expiry(now: datetime, lifetime: timedelta) -> datetime:
    """Return the end of a lifetime, rounded up to whole seconds, the unit of DynamoDB's TTL."""
    end = now + lifetime
    return end if not end.microsecond else end.replace(microsecond=0) + timedelta(seconds=1)
