"""The `RedriveQueue` port: repeated S3 events. Needs sqs:SendMessage on the queue."""

import json
from collections.abc import Sequence
from urllib.parse import quote_plus

from profile_media.aws.purge_queue import send


class SqsRedriveQueue:
    """Originals to be processed; each message is the event that S3 would have sent."""

    def __init__(self, url: str, uploads_bucket: str) -> None:
        self._url = url
        self._uploads_bucket = uploads_bucket

    def redrive(self, keys: Sequence[str]) -> Sequence[str]:
        """Enqueue the events of these originals in batches. Return the keys that failed."""
        return [keys[index] for index in send(self._url, [self._event(key) for key in keys])]

    def _event(self, key: str) -> str:
        stored = {"bucket": {"name": self._uploads_bucket}, "object": {"key": quote_plus(key, safe="/")}}
        return json.dumps({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Redriven", "s3": stored}]})
