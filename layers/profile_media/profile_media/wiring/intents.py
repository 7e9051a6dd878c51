"""Promising uploads."""

from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.presigner import S3Presigner
from profile_media.aws.profiles import DynamoProfiles
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.intend import Intent, IntentIssuer, IntentRequest, PendingUploads
from profile_media.domain.model import Caller
from profile_media.domain.users import check_tenant
from profile_media.http.links import Links
from profile_media.telemetry import count, logger


def intend(caller: Caller, request: IntentRequest) -> Intent:
    """Promises an upload, and says so; raises UserNotFound for an owner who is another tenant's."""
    if request.owner_id != caller.user_id:
        check_tenant(caller, _profiles().get(request.owner_id))
    intent = _intents().issue(request)
    logger.info(
        "upload intended",
        upload_id=intent.upload.upload_id,
        owner=intent.upload.owner_id,
        slot=intent.upload.slot.value,
        content_type=intent.upload.content_type.value,
        content_length=intent.upload.content_length,
    )
    count("IntentsCreated")
    return intent


def links() -> Links:
    """An intent names its upload; it has no picture to link to yet."""
    return Links(settings.load(settings.IntentSettings).app_name, media_base_url="")


@cache
def _profiles() -> DynamoProfiles:
    return DynamoProfiles(settings.load(settings.IntentSettings).users_table)


@cache
def _intents() -> IntentIssuer:
    chosen = settings.load(settings.IntentSettings)
    promises = PendingUploads(
        uploads=DynamoUploads(chosen.uploads_table),
        clock=SystemClock(),
        limits=chosen.limits,
        lifetimes=chosen.lifetimes,
    )
    return IntentIssuer(promises, S3Presigner(chosen.uploads_bucket, chosen.uploads_url))
