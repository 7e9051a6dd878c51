"""Create intents, and find their uploads."""

from dataclasses import replace
from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.presigner import S3Presigner
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain import access
from profile_media.domain.formats import ContentType, accepted_types
from profile_media.domain.intend import Intent, IntentIssuer, IntentRequest, PendingUploads
from profile_media.domain.model import Caller, Upload
from profile_media.domain.watch import watch
from profile_media.telemetry import count_slot, logger


def issue(caller: Caller, owner_id: str, request: IntentRequest) -> Intent:
    """Issue an intent for a picture of the owner's."""
    issuer = _issuer(settings.load(settings.IntentSettings))
    traced = replace(request, trace_id=logger.get_correlation_id())
    intent = issuer.issue(access.grant_for_intent(_profiles(), caller, owner_id), traced)
    logger.info(
        "upload intended",
        upload_id=intent.upload.upload_id,
        owner=intent.upload.owner_id,
        slot=intent.upload.slot.value,
        content_type=intent.upload.content_type.value,
        content_length=intent.upload.content_length,
    )
    count_slot("IntentsCreated", intent.upload.slot)
    return intent


def accepted() -> frozenset[ContentType]:
    """Return the content types that this deployment accepts."""
    return accepted_types(heic=settings.load(settings.IntentSettings).accept_heic)


def find_upload(owner_id: str, upload_id: str, patience: float) -> Upload:
    """Return the owner's upload as soon as it is processed, or after `patience` seconds or the longest wait."""
    longest = settings.load(settings.UploadWaitingSettings).longest_wait_seconds
    return watch(_uploads(), SystemClock(), owner_id, upload_id, min(patience, longest))


@cache
def _profiles() -> DynamoProfiles:
    return DynamoProfiles(settings.load(settings.IntentSettings).users_table)


@cache
def _uploads() -> DynamoUploads:
    return DynamoUploads(settings.load(settings.UploadReadingSettings).uploads_table)


@cache
def _issuer(chosen: settings.IntentSettings) -> IntentIssuer:
    pending_uploads = PendingUploads(_uploads(), SystemClock(), chosen.limits, chosen.lifetimes)
    return IntentIssuer(pending_uploads, S3Presigner(chosen.uploads_bucket, chosen.uploads_url))
