"""The delete queue: the `PurgeQueue` port on SQS. Needs sqs:SendMessage on it."""

import json
from collections.abc import Sequence

from profile_media.aws.session import available, sqs
from profile_media.domain.ports import PurgeRequest

BATCH = 10
"""Messages SQS takes in one call."""


class SqsPurgeQueue:
    """Removed uploads, on their way to deletion."""

    def __init__(self, url: str) -> None:
        self._url = url

    def enqueue(self, removed: Sequence[PurgeRequest]) -> Sequence[PurgeRequest]:
        """Queues them, ten a call; returns those that were not taken."""
        return [removed[index] for index in send(self._url, [_body(each) for each in removed])]


def send(url: str, bodies: Sequence[str]) -> list[int]:
    """Puts messages on a queue, ten a call; returns which were not taken."""
    refused: list[int] = []
    for start in range(0, len(bodies), BATCH):
        batch = bodies[start : start + BATCH]
        with available():
            answer = sqs().send_message_batch(
                QueueUrl=url,
                Entries=[{"Id": str(index), "MessageBody": body} for index, body in enumerate(batch)],
            )
        refused.extend(start + int(entry["Id"]) for entry in answer.get("Failed", ()))
    return refused


def _body(removed: PurgeRequest) -> str:
    return json.dumps({"owner_id": removed.owner_id, "upload_id": removed.upload_id})


def parse_body(body: str) -> PurgeRequest:
    """The upload a message is about; raises ValueError for anything this service would not have sent."""
    try:
        message = json.loads(body)
    except RecursionError:
        raise ValueError("not a removed upload") from None
    match message:
        case {"owner_id": str() | None as owner_id, "upload_id": str(upload_id)} if len(message) == 2:
            return PurgeRequest(owner_id, upload_id)
        case _:
            raise ValueError("not a removed upload")
