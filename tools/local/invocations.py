"""Invoke functions for event sources, with Lambda's retries and failure destinations."""

import json
import logging
import threading
import time
import uuid
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.local import aws
from tools.local.runner import Outcome, PayloadTooLarge, Runner, Throttled
from tools.template import Template

LOG = logging.getLogger(__name__)

RETRY_SECONDS = (0.5, 1.0)
"""Delays before the two retries of an asynchronous invocation. Lambda waits one minute, then two."""

THROTTLED_SECONDS = 0.2

type Event = dict[str, Any]


@dataclass
class Invocations:
    """Invokes functions until it is stopped."""

    template: Template
    runner: Runner
    stopping: threading.Event = field(default_factory=threading.Event)
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(32, "async"))

    def stop(self) -> None:
        """Drop waiting invocations and retries."""
        self.stopping.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def invoke(self, function: str, event: Event) -> Outcome | None:
        """Invoke and wait, also for a free worker. Return None when stopping."""
        text = json.dumps(event, default=_plain)
        while not self.stopping.is_set():
            try:
                return self.runner.invoke(function, text)
            except Throttled:
                self.stopping.wait(THROTTLED_SECONDS)
            except PayloadTooLarge:
                return Outcome(str(uuid.uuid4()), json.dumps({"errorMessage": "payload too large"}), failed=True)
        return None

    def invoke_later(self, function: str, event: Event) -> None:
        """Invoke as `InvocationType=Event` does: return at once, retry, and send final failures to the destination."""
        self._threads.submit(self._invoke_asynchronously, function, event)

    def send(self, destination_arn: str, body: Event) -> None:
        """Send a failure to the queue that the template names."""
        url = self.template.queue_url(self.template.logical_id(destination_arn))
        sqs = aws.client("sqs", self.template.endpoint)
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(body, default=_plain))

    def failure(self, function: str, outcome: Outcome, condition: str, attempts: int) -> Event:
        """Return the part that all failure messages of Lambda share."""
        return {
            "version": "1.0",
            "timestamp": iso(time.time()),
            "requestContext": {
                "requestId": outcome.request_id,
                "functionArn": f"{self.runner.functions[function].arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        }

    def _invoke_asynchronously(self, function: str, event: Event) -> None:
        settings = self.template.functions[function].properties.get("EventInvokeConfig") or {}
        attempts = 1 + int(settings.get("MaximumRetryAttempts", len(RETRY_SECONDS)))
        for attempt in range(attempts):
            outcome = self.invoke(function, event)
            if outcome is None or not outcome.failed:
                return
            if attempt + 1 == attempts:
                self._give_up(function, event, outcome, attempts)
            elif self.stopping.wait(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]):
                return

    def _give_up(self, function: str, event: Event, outcome: Outcome, attempts: int) -> None:
        LOG.error("%s failed on every attempt: %s", function, outcome.payload)
        properties = self.template.functions[function].properties
        destinations = (properties.get("EventInvokeConfig") or {}).get("DestinationConfig") or {}
        if arn := (destinations.get("OnFailure") or {}).get("Destination"):
            failure = self.failure(function, outcome, "RetriesExhausted", attempts)
            self.send(arn, {**failure, "requestPayload": event, "responsePayload": json.loads(outcome.payload)})
        if arn := (properties.get("DeadLetterQueue") or {}).get("TargetArn"):
            self.send(arn, event)


def failed_items(outcome: Outcome | None, items: list[str]) -> set[str]:
    """Return the items that failed, from a function's `batchItemFailures`; all items if the answer is malformed."""
    if outcome is None or outcome.failed:
        return set(items)
    answer = json.loads(outcome.payload)
    failures = (answer or {}).get("batchItemFailures") or [] if isinstance(answer, dict | None) else None
    if not isinstance(failures, list) or not all(isinstance(item, dict) for item in failures):
        return set(items)
    failed = {item.get("itemIdentifier") for item in failures}
    return failed if failed <= set(items) else set(items)


def iso(timestamp: float) -> str:
    """Format a Unix time as Lambda does."""
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: object) -> str:
    """Encode bytes for JSON, as events do."""
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"not JSON: {type(value).__name__}")
