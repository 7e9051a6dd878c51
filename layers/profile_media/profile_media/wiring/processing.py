"""Make derivatives of pictures that were sent by presigned POST or through the API.

The one area whose modules import the imaging package.
"""

from datetime import datetime
from functools import cache

from profile_media.aws import settings
from profile_media.aws.clock import SystemClock
from profile_media.aws.objects import S3Incoming, S3Media
from profile_media.aws.purge_queue import SqsPurgeQueue
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.access import Access
from profile_media.domain.framing import Framing
from profile_media.domain.ingest import DirectUpload, require_ready
from profile_media.domain.intend import PendingUploads
from profile_media.domain.keys import parse_incoming_key
from profile_media.domain.model import Profile, Slot, Upload
from profile_media.domain.process import IncomingProcessor, Outcome, Processed, UploadProcessor
from profile_media.domain.references import Reference
from profile_media.imaging import PillowImages
from profile_media.telemetry import count, count_slot, logger, measure
from profile_media.wiring import pictures


def process(bucket: str, key: str, stored_at: datetime | None) -> None:
    """Process the original that an S3 event names. Other objects are logged and ignored."""
    owned = parse_incoming_key(key)
    chosen = settings.load(settings.ProcessingSettings)
    if bucket != chosen.uploads_bucket or owned is None:
        logger.warning("not an upload's object", bucket=bucket, key=key)
        return
    owner_id, upload_id = owned
    with logger.append_context_keys(upload_id=upload_id):  # also in the record of an error
        processed = _incoming_processor(chosen).process(owner_id, upload_id)
        _report(owner_id, upload_id, processed, _waited(processed, stored_at))
        if processed.bound:
            pictures.record(processed.bound)


def upload(access: Access, slot: Slot, content: bytes, framing: Framing) -> Profile:
    """Create an upload of a picture that came through the API, process it and bind it."""
    processed = _direct_upload(settings.load(settings.DirectUploadSettings)).ingest(
        access, slot, content, framing, trace_id=logger.get_correlation_id()
    )
    count_slot("UploadsStored", slot)
    _report(access.owner_id, None, processed, {})
    return pictures.bind(access, slot, Reference(access.owner_id, require_ready(processed).upload_id))


def _waited(processed: Processed, stored_at: datetime | None) -> dict[str, int]:
    """Return how long the client has waited for a ready upload, in milliseconds, and add it to the metrics.

    From the intent on, which includes the time in which the client sent the picture, and from the time at which S3 had
    stored it. A repeated event does not tell that time. It is late in any case, so it counts from the intent.
    """
    if processed.outcome is not Outcome.READY or processed.upload is None:
        return {}
    now, created_at = SystemClock().now(), processed.upload.created_at
    since = {"intent_to_ready_ms": created_at, "stored_to_ready_ms": stored_at or created_at}
    waited = {name: max(0, round((now - moment).total_seconds() * 1000)) for name, moment in since.items()}
    measure("IntentToReady", waited["intent_to_ready_ms"])
    measure("StoredToReady", waited["stored_to_ready_ms"])
    return waited


def _report(owner_id: str, upload_id: str | None, processed: Processed, waited: dict[str, int]) -> None:
    """Write one log line per picture, and count its outcome."""
    upload, rendered, cost = processed.upload, processed.rendered, processed.cost
    reason = upload.reason.value if upload and upload.reason else None
    logger.info(
        "upload processed",
        owner=owner_id,
        upload_id=upload.upload_id if upload else upload_id,
        trace_id=upload.trace_id if upload else None,
        outcome=processed.outcome.value,
        reason=reason,
        detail=processed.detail,
        sha256=processed.digest,
        content_type=upload.content_type.value if upload else None,
        width=rendered.width if rendered else None,
        height=rendered.height if rendered else None,
        cpu_ms=cost.cpu_ms if cost else None,
        peak_mib=cost.peak_mib if cost else None,
        bind_error=processed.bind_error.value if processed.bind_error else None,
        slot=upload.slot.value if upload else None,
        intent_to_ready_ms=waited.get("intent_to_ready_ms"),
        stored_to_ready_ms=waited.get("stored_to_ready_ms"),
    )
    if processed.outcome is Outcome.READY and upload:
        count_slot("UploadsReady", upload.slot)
    else:
        count(f"Uploads{processed.outcome.value.capitalize()}")
    if processed.outcome is Outcome.REJECTED and reason:
        count("Rejected" + "".join(word.capitalize() for word in reason.split("_")))


@cache
def _incoming_processor(chosen: settings.ProcessingSettings) -> IncomingProcessor:
    binder = pictures.make_binder(chosen.users_table, chosen.uploads_table, chosen.writes_per_minute)
    images = _images(chosen)
    incoming, processor = S3Incoming(chosen.uploads_bucket), _upload_processor(chosen, images)
    return IncomingProcessor(incoming, processor, binder, _count_arrival)


def _count_arrival(upload: Upload) -> None:
    count_slot("UploadsStored", upload.slot)


@cache
def _direct_upload(chosen: settings.DirectUploadSettings) -> DirectUpload:
    images = _images(chosen)
    uploads = DynamoUploads(chosen.uploads_table)
    pending_uploads = PendingUploads(uploads, SystemClock(), chosen.limits, chosen.lifetimes)
    return DirectUpload(pending_uploads, _upload_processor(chosen, images), images)


def _images(chosen: settings.ProcessingSettings | settings.DirectUploadSettings) -> PillowImages:
    return PillowImages(
        keep_master=chosen.keep_master, keep_animation=chosen.keep_animation, accept_heic=chosen.accept_heic
    )


def _upload_processor(
    chosen: settings.ProcessingSettings | settings.DirectUploadSettings, images: PillowImages
) -> UploadProcessor:
    return UploadProcessor(
        uploads=DynamoUploads(chosen.uploads_table),
        media=S3Media(chosen.media_bucket),
        images=images,
        purge_queue=SqsPurgeQueue(chosen.purge_queue_url),
        clock=SystemClock(),
        lifetimes=chosen.lifetimes,
    )
