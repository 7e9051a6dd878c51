"""The `PurgeQueue` port: messages on the delete queue. Needs sqs:SendMessage on it."""

from collections.abc import Sequence
from itertools import batched

from pydantic import BaseModel, ConfigDict, ValidationError

from profile_media.aws.session import available, sqs
from profile_media.domain.keys import is_upload_id
from profile_media.domain.ports import PurgeRequest

BATCH = 10
"""Messages in one SendMessageBatch request, as SQS allows."""


class SqsPurgeQueue:
    """Removed uploads whose objects are to be deleted."""

    def __init__(self, url: str) -> None:
        self._url = url

    def enqueue(self, requests: Sequence[PurgeRequest]) -> Sequence[PurgeRequest]:
        """Enqueue purge requests in batches. Return the ones that failed."""
        return [requests[index] for index in send(self._url, [_body(each) for each in requests])]


def send(url: str, bodies: Sequence[str]) -> list[int]:
    """Send messages to a queue in batches. Return the indexes of the ones that failed."""
    failed: list[int] = []
    for batch in batched(enumerate(bodies), BATCH, strict=False):
        with available():
            answer = sqs().send_message_batch(
                QueueUrl=url, Entries=[{"Id": str(index), "MessageBody": body} for index, body in batch]
            )
        failed += [int(entry["Id"]) for entry in answer.get("Failed", ())]
    return failed


class _Message(BaseModel):
    """The body of a message. Messages of version 0.1.0 have no `media_keys` and no `trace_id`."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    owner_id: str | None
    upload_id: str
    media_keys: list[str] | None = None
    trace_id: str | None = None


def _body(request: PurgeRequest) -> str:
    keys = None if request.media_keys is None else list(request.media_keys)
    message = _Message(
        owner_id=request.owner_id, upload_id=request.upload_id, media_keys=keys, trace_id=request.trace_id
    )
    return message.model_dump_json()


def parse_body(body: str) -> PurgeRequest:
    """Parse a message. Raises ValueError for a message that this service would not send."""
    try:
        message = _Message.model_validate_json(body)
    except ValidationError:
        raise ValueError("not a purge request") from None
    if not is_upload_id(message.upload_id):
        raise ValueError("not a purge request")
    keys = None if message.media_keys is None else tuple(message.media_keys)
    return PurgeRequest(message.owner_id, message.upload_id, keys, message.trace_id)
