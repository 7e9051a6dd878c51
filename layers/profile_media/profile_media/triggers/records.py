"""Parsers of the events of S3, SQS and the uploads table's stream, on Powertools' event source data classes.

Records that are not meant for this service are skipped without an error.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent, S3Event, SQSEvent
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecordEventName

from profile_media.domain.formats import ContentType
from profile_media.domain.keys import is_upload_id, media_key
from profile_media.domain.model import Derivative, State
from profile_media.domain.ports import PurgeRequest

if TYPE_CHECKING:  # importing the batch processor costs more than all of this module
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

type Failures = PartialItemFailureResponse
"""A partial batch response: the records that Lambda is to deliver again."""

_WITH_DERIVATIVES = (State.READY, State.BOUND)
"""The states in which an upload's row names all of its stored derivatives."""


class StoredObject(NamedTuple):
    """An object that S3 has stored."""

    bucket: str
    key: str
    stored_at: datetime | None
    """None in events of the redrive queue, which do not tell it."""


def created_objects(event: Mapping[str, Any]) -> Iterator[StoredObject]:
    """Yield each object that S3 reports as created.

    The event comes from S3 directly, or in the body of a message on the redrive queue.
    """
    for s3_event in _s3_events(event):
        for record in s3_event.records:
            if str(record.get("eventName")).startswith("ObjectCreated:"):
                key = unquote_plus(record.s3.get_object.key)
                yield StoredObject(record.s3.bucket.name, key, _parse_time(record.get("eventTime")))


def _parse_time(text: object) -> datetime | None:
    """Parse a time such as 2026-11-20T12:00:00.000Z. Return None for anything else: only a metric needs it."""
    try:
        parsed = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _s3_events(event: Mapping[str, Any]) -> Iterator[S3Event]:
    """Yield the event itself, or the events in its messages. S3's own test event has no records and is skipped."""
    records = event.get("Records") or []
    if records and records[0].get("eventSource") == "aws:sqs":
        yield from (_parse_s3_event(message.body) for message in SQSEvent(dict(event)).records)
    elif records:
        yield S3Event(dict(event))


def _parse_s3_event(body: str) -> S3Event:
    """Parse a message of the redrive queue. Raise ValueError if it is not an S3 event."""
    try:
        parsed = json.loads(body)
    except RecursionError:
        raise ValueError("the message is not an S3 event") from None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("Records"), list):
        raise ValueError("the message is not an S3 event")
    return S3Event(parsed)


def removed_uploads(event: Mapping[str, Any]) -> dict[str, PurgeRequest]:
    """Return the removed upload rows by sequence number. Other items of the table have nothing to purge."""
    removed = {}
    for record in DynamoDBStreamEvent({"Records": event.get("Records") or []}).records:
        row = record.dynamodb
        if row is None or record.get("eventName") != DynamoDBRecordEventName.REMOVE.name:
            continue
        if is_upload_id(upload_id := row.keys["upload_id"]):
            keys = _media_keys(upload_id, row.old_image)
            removed[str(row.sequence_number)] = PurgeRequest(
                row.keys["owner_id"], upload_id, keys, row.old_image.get("trace_id")
            )
    return removed


def _media_keys(upload_id: str, row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the object keys of a ready or bound upload's derivatives; None if the row does not tell them all.

    Processing may have stored derivatives of a pending or rejected upload without naming them in its row. A row that
    cannot be parsed also gives None: an error here would block its stream shard.
    """
    if row.get("state") not in _WITH_DERIVATIVES:
        return None
    try:
        return tuple(media_key(upload_id, _derivative(stored)) for stored in row["derivatives"])
    except (KeyError, TypeError, ValueError):
        return None


def _derivative(stored: Mapping[str, Any]) -> Derivative:
    return Derivative(
        name=stored["name"],
        digest=stored["digest"],
        content_type=ContentType(stored["content_type"]),
        width=int(stored["width"]),
        height=int(stored["height"]),
        size=int(stored["size"]),
    )


def failures(identifiers: Sequence[str]) -> Failures:
    """Build a partial batch response of these message ids or sequence numbers."""
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}
