"""Decide whether an upload has expired, and when.

DynamoDB removes expired rows up to several days late, so code that reads a row must also check its expiry here.
"""

from datetime import datetime, timedelta

from profile_media.domain.model import State, Upload
from profile_media.domain.policy import Lifetimes

ARRIVAL = timedelta(minutes=1)
"""The time after the form's expiry in which a picture may still arrive: S3 checks the form when a POST begins."""


def is_expired(upload: Upload, now: datetime) -> bool:
    """Return whether the row has expired, whether or not it still exists."""
    return upload.expires_at is not None and upload.expires_at <= now


def is_pending(upload: Upload | None, now: datetime) -> bool:
    """Return whether a picture that arrives for the upload is processed."""
    return upload is not None and upload.state is State.PENDING and not is_expired(upload, now)


def open_until(created_at: datetime, lifetimes: Lifetimes) -> datetime:
    """Return until when an intent made at this time can count against the owner's open intents."""
    return created_at + lifetimes.grant + ARRIVAL


def is_open(upload: Upload | None, lifetimes: Lifetimes, now: datetime) -> bool:
    """Return whether the upload counts against the owner's open intents: its picture may still be on its way.

    An upload without a picture stays pending for longer, so that a lost event of S3 can be repeated.
    """
    return upload is not None and is_pending(upload, now) and now < open_until(upload.created_at, lifetimes)


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
