"""An avatar that replaces another, from the wish for it to the last trace of the one before, on moto.

Each step is an invocation of a real handler with its sample event; what it asks of AWS is recorded.
"""

import base64
import contextlib
import importlib
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto import mock_aws

from tests import cloud
from tools.bench.context import context
from tools.bench.cost.recorder import Call, recording

EVENTS = Path(__file__).parents[3] / "events"
ADA = "auth0|ada"
"""Whom the sample events are about."""


@dataclass(frozen=True)
class Step:
    """One invocation: what it was, what it asked of AWS, and what came back."""

    name: str
    function: str
    calls: tuple[Call, ...]
    logged: int
    """Bytes it wrote to its log."""
    answer: Any = None

    @property
    def operations(self) -> tuple[str, ...]:
        return tuple(call.operation for call in self.calls)

    @property
    def read_units(self) -> float:
        return sum(call.read_units for call in self.calls)

    @property
    def write_units(self) -> float:
        return sum(call.write_units for call in self.calls)


@contextmanager
def deployed() -> Iterator[cloud.Cloud]:
    """AWS in memory, with what the template would have deployed."""
    os.environ.update(cloud.ENVIRONMENT)
    with mock_aws():
        yield cloud.deploy()


type Handler = Callable[[dict[str, Any], Any], Any]


def invoke(name: str, function: str, handler: Handler, event: dict[str, Any]) -> Step:
    """One step, recorded; raises where the answer is not a success."""
    with _listening() as log, recording() as calls:
        answer = handler(event, context(function))
    if isinstance(answer, dict) and (answer.get("statusCode", 200) >= 300 or answer.get("batchItemFailures")):
        raise RuntimeError(f"{function} answered {answer}")
    return Step(name, function, tuple(calls), len(log.getvalue().encode()), answer)


@contextmanager
def _listening() -> Iterator[io.StringIO]:
    """What is logged meanwhile: printed, or through the service's logger, which holds the stream it began with."""
    from profile_media import telemetry  # noqa: PLC0415 - reads the environment, which is set by now

    log = io.StringIO()
    handler = telemetry.logger.registered_handler
    before = handler.setStream(log)  # type: ignore[attr-defined]
    try:
        with contextlib.redirect_stdout(log):
            yield log
    finally:
        if before:
            handler.setStream(before)  # type: ignore[attr-defined]


@dataclass
class Life:
    """What one user's functions are asked to do, one after the other."""

    aws: cloud.Cloud
    user_id: str = ADA
    steps: list[Step] = field(default_factory=list)

    def intent(self, picture: bytes) -> dict[str, Any]:
        """The browser asks; it gets a form."""
        asked = {"slot": "avatar", "contentType": "image/jpeg", "contentLength": len(picture)}
        answer: dict[str, Any] = self._call("intent", "create_upload_intent", json.dumps(asked))
        return answer

    def upload(self, intent: dict[str, Any], picture: bytes) -> str:
        """The browser posts the form; returns the object's key. Nothing of ours runs."""
        key: str = intent["upload"]["fields"]["key"]
        self.aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=picture)
        return key

    def process(self, key: str) -> None:
        """S3's event."""
        event = sample("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = key
        self._run("process", "process_upload", event)

    def poll(self, upload_id: str) -> None:
        """The browser asks what became of it."""
        self._call("poll", "get_upload", pathParameters={"uploadId": upload_id})

    def bind(self, intent: dict[str, Any]) -> None:
        """The browser makes it the avatar."""
        self._call("bind", "bind_avatar", json.dumps({"publicId": intent["publicId"]}))

    def look(self) -> None:
        """The browser shows the profile."""
        self._call("profile", "get_profile")

    def release(self, upload_ids: list[str]) -> None:
        """The stream hands over removed rows."""
        event = sample("release_media")
        [template, *_] = event["Records"]
        event["Records"] = [
            {**template, "dynamodb": {**template["dynamodb"], "SequenceNumber": str(number), "Keys": self._keys(each)}}
            for number, each in enumerate(upload_ids)
        ]
        self._run("release", "release_media", event)

    def purge(self) -> None:
        """The delete queue hands over what it holds, as one batch."""
        event = sample("purge_media")
        [template, *_] = event["Records"]
        bodies = self.aws.messages()
        event["Records"] = [
            {**template, "messageId": str(number), "body": json.dumps(body)} for number, body in enumerate(bodies)
        ]
        self._run("purge", "purge_media", event)

    def avatar(self, picture: bytes) -> str:
        """Everything up to the bind; returns the upload's id."""
        intent = self.intent(picture)
        self.process(self.upload(intent, picture))
        upload_id: str = intent["uploadId"]
        self.poll(upload_id)
        self.bind(intent)
        return upload_id

    def _keys(self, upload_id: str) -> dict[str, Any]:
        return {"owner_id": {"S": self.user_id}, "upload_id": {"S": upload_id}}

    def _call(self, name: str, function: str, body: str | None = None, **changes: Any) -> Any:
        event = {**sample(function), "body": body, **changes}
        event["headers"] = {key: value for key, value in event["headers"].items() if key != "Idempotency-Key"}
        event["requestContext"]["authorizer"].update(sub=self.user_id, principalId=self.user_id)
        step = self._run(name, function, event)
        return json.loads(step.answer["body"])

    def _run(self, name: str, function: str, event: dict[str, Any]) -> Step:
        step = invoke(name, function, importlib.import_module(f"functions.{function}.app").handler, event)
        self.steps.append(step)
        return step


def sample(function: str) -> dict[str, Any]:
    """A function's sample event."""
    event: dict[str, Any] = json.loads((EVENTS / f"{function}.json").read_text())
    return event


@dataclass(frozen=True)
class Lived:
    """The steps of a picture that replaces another, and the bytes that stay of it."""

    steps: tuple[Step, ...]
    stored: int


def ours(picture: bytes) -> Lived:
    """Everything that this service does for it."""
    with deployed() as aws:
        life = Life(aws)
        life.look()
        replaced = life.avatar(picture)
        life.steps.clear()
        life.avatar(picture)
        life.release([replaced])
        life.purge()
        return Lived(tuple(life.steps), _stored(aws))


def usual(picture: bytes) -> Lived:
    """The same the usual way: one request that does it all, and one that shows it."""
    with deployed() as aws:
        app = importlib.import_module("tools.bench.usual.app")
        event = sample("get_profile")
        body = json.dumps({"user_avatar": base64.b64encode(picture).decode()})
        for _ in range(2):
            steps = (
                invoke("upload", "upload_avatar", app.upload_avatar, {**event, "body": body}),
                invoke("profile", "get_profile", app.get_profile, event),
            )
        return Lived(steps, _stored(aws))


def _stored(aws: cloud.Cloud) -> int:
    """Bytes in both buckets; browsers' originals are gone by now, or stay."""
    sizes = [
        entry["Size"]
        for bucket in (cloud.UPLOADS_BUCKET, cloud.MEDIA_BUCKET)
        for entry in aws.s3.list_objects_v2(Bucket=bucket).get("Contents", ())
    ]
    return sum(sizes)
