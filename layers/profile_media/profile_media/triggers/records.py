"""What the event sources send, read strictly: what is not for us is passed over, never an error."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from profile_media.domain.keys import is_upload_id
from profile_media.domain.ports import PurgeRequest
from profile_media.telemetry import logger

type Failures = dict[str, list[dict[str, str]]]


def created_objects(event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Bucket and key of each object that S3 says was created; S3 writes keys as a form would.

    It may say so itself, or in the body of a queue's message.
    """
    for record in event.get("Records") or ():
        for created in _event_in(record["body"]) if record.get("eventSource") == "aws:sqs" else [record]:
            if str(created.get("eventName", "")).startswith("ObjectCreated:"):
                yield created["s3"]["bucket"]["name"], unquote_plus(created["s3"]["object"]["key"])


def _event_in(body: str) -> list[Any]:
    """The records that a message holds; raises ValueError for anything else."""
    try:
        match json.loads(body):
            case {"Records": [*records]}:
                return records
    except (ValueError, RecursionError):
        pass
    raise ValueError("not an event")


def removed_uploads(event: Mapping[str, Any]) -> dict[str, PurgeRequest]:
    """The uploads whose rows the stream says are gone, by sequence number; other items of the table release nothing."""
    removed = {}
    for record in event.get("Records") or ():
        keys = record["dynamodb"]["Keys"]
        upload_id = keys["upload_id"]["S"]
        if record["eventName"] == "REMOVE" and is_upload_id(upload_id):
            removed[record["dynamodb"]["SequenceNumber"]] = PurgeRequest(keys["owner_id"]["S"], upload_id)
    return removed


def each_message(event: Mapping[str, Any], handle: Callable[[str], None]) -> Failures:
    """Hands over every message's body, and reports those that failed so that only they come again."""
    failed = []
    for record in event.get("Records") or ():
        try:
            handle(record["body"])
        except Exception:
            logger.exception("the message will come again", message_id=record["messageId"])
            failed.append(record["messageId"])
    return failures(failed)


def failures(identifiers: Sequence[str]) -> Failures:
    """A partial batch response: the records that are to come again."""
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}
