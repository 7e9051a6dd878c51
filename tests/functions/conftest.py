"""Call the handlers as Lambda does, with the sample events of `events/`."""

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from profile_media.aws.attachments import DynamoAttachments
from profile_media.aws.uploads import DynamoUploads
from profile_media.domain.lifecycle import expiry
from profile_media.domain.model import State, Upload, utc_now
from tests import cloud, rights
from tests.builders import a_ready_upload, an_id, an_upload
from tests.fakes import a_slot_change
from tests.openapi.conformance import check, operations

EVENTS = Path(__file__).parents[2] / "events"


@dataclass
class Context:
    """Lambda's context object."""

    function_name: str
    aws_request_id: str = "8f5a2b54-5a17-4a3f-8d0e-0d6a2c3b9d11"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:it"

    def get_remaining_time_in_millis(self) -> int:
        return 290_000


@dataclass
class Answer:
    """An answer of the API with its body parsed; without members if there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


def an_event(name: str) -> dict[str, Any]:
    """Return the sample event of a function."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def run(name: str, event: Mapping[str, Any]) -> Any:
    """Invoke a handler; its calls to AWS count as its function's (see tests/rights.py)."""
    with rights.running(name):
        return importlib.import_module(f"functions.{name}.app").handler(event, Context(name))


@pytest.fixture(autouse=True)
def _within_rights(recorded_calls: object) -> None:
    """Check all calls of the functions tested in this folder."""


type Call = Callable[..., Answer]


def use_one_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reconcile query the one partition of the index that holds the ids of a test, and not all 256."""
    monkeypatch.setattr("profile_media.aws.upload_index.PREFIXES", (an_id(1)[:2],))


@pytest.fixture
def call(aws: cloud.Cloud) -> Call:
    """Call an API function. `body` is sent as JSON unless it is text; other arguments replace members of the event."""

    def _call(name: str, body: object = ..., claims: Mapping[str, str] | None = None, **changes: Any) -> Answer:
        event = an_event(name)
        if body is not ...:
            event["body"] = body if isinstance(body, str) or body is None else json.dumps(body)
        event["requestContext"]["authorizer"].update(claims or {})
        for member, value in changes.items():
            event[member] = {**(event[member] or {}), **value} if isinstance(value, dict) else value
        answer = run(name, event)
        given = Answer(answer["statusCode"], answer["headers"], json.loads(answer["body"] or "{}"))
        if name in operations():
            check(name, given.status, given.headers, given.body)  # docs/openapi.yaml says what can be answered
        return given

    return _call


class Rows:
    """Adds uploads to the tables through the adapters."""

    def __init__(self) -> None:
        self.uploads = DynamoUploads(cloud.UPLOADS_TABLE)
        self.attachments = DynamoAttachments(cloud.USERS_TABLE, cloud.UPLOADS_TABLE)

    def pending(self, **changes: Any) -> Upload:
        """Add a pending upload."""
        now = utc_now()
        upload = an_upload(**{"created_at": now, "expires_at": expiry(now, timedelta(hours=1))} | changes)
        with rights.running(None):  # also when a handler is interrupted for this
            self.uploads.create(upload, None, open_limit=99, recent_limit=99)
        return upload

    def processed(self, upload: Upload, **changes: Any) -> Upload:
        """Save the result of processing."""
        processed = replace(upload, **changes)
        with rights.running(None):
            assert self.uploads.save_result(processed, utc_now())
        return processed

    def ready(self, **changes: Any) -> Upload:
        """Add a ready upload."""
        upload = self.pending(**changes)
        ready = a_ready_upload(slot=upload.slot)
        return self.processed(
            upload,
            state=State.READY,
            width=ready.width,
            height=ready.height,
            derivatives=ready.derivatives,
            expires_at=expiry(upload.created_at, timedelta(hours=24)),
        )

    def bound(self, **changes: Any) -> Upload:
        """Add an upload and bind it to an empty slot."""
        upload = self.ready(**changes)
        with rights.running(None):
            assert self.attachments.change_slot(a_slot_change(upload, now=utc_now()))
        return replace(upload, state=State.BOUND, expires_at=None)


@pytest.fixture
def rows(aws: cloud.Cloud) -> Rows:
    """Return the tables."""
    return Rows()
