"""Replace an avatar with another one on moto, from the intent to the purge, and record what each step asks of AWS."""

import base64
import contextlib
import importlib
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from moto import mock_aws

from tests import aws_calls, cloud
from tools.bench.cost.recorder import INFREQUENT, Call, recording
from tools.bench.report import ROOT
from tools.bench.warm.worker import CONTEXT

EVENTS = ROOT / "events"
ADA = "auth0|ada"
"""The user of the sample events."""


@dataclass(frozen=True)
class Step:
    """One invocation: its calls to AWS, the bytes it logged, and its answer."""

    name: str
    function: str
    calls: tuple[Call, ...]
    logged: int
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


connect = cache(aws_calls.connect)
"""Hook into botocore once per process: tests/cloud.py unhooks its own sessions, and fails for one without a hook."""


@contextmanager
def deployed() -> Iterator[cloud.Cloud]:
    """Start AWS in memory with the template's tables, buckets and queues."""
    os.environ.update(cloud.ENVIRONMENT)
    connect()
    with mock_aws():
        yield cloud.deploy()


type Handler = Callable[[dict[str, Any], Any], Any]


def invoke(name: str, function: str, handler: Handler, event: dict[str, Any]) -> Step:
    """Invoke a handler and record it. Raise RuntimeError if it does not succeed."""
    with _captured_log() as log, recording() as calls:
        answer = handler(event, CONTEXT)
    if isinstance(answer, dict) and (answer.get("statusCode", 200) >= 300 or answer.get("batchItemFailures")):
        raise RuntimeError(f"{function} answered {answer}")
    return Step(name, function, tuple(calls), len(log.getvalue().encode()), answer)


@contextmanager
def _captured_log() -> Iterator[io.StringIO]:
    """Collect what is printed, and what the service's logger writes."""
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
    """The steps of one user's picture. Each method is one invocation."""

    aws: cloud.Cloud
    user_id: str = ADA
    steps: list[Step] = field(default_factory=list)
    rows: dict[str, Any] = field(default_factory=dict)
    """The rows of bound uploads, as the stream shows them after their removal."""

    def intent(self, picture: bytes, *, bind: bool = False) -> dict[str, Any]:
        body = {"slot": "avatar", "contentType": "image/jpeg", "contentLength": len(picture)}
        if bind:
            body["bind"] = True
        answer: dict[str, Any] = self._call("intent", "create_upload_intent", json.dumps(body))
        return answer

    def upload(self, intent: dict[str, Any], picture: bytes) -> str:
        """Store the picture as the browser's form does, and return its key. No function runs."""
        key: str = intent["upload"]["fields"]["key"]
        self.aws.s3.put_object(Bucket=cloud.UPLOADS_BUCKET, Key=key, Body=picture)
        return key

    def process(self, key: str) -> None:
        event = sample("process_upload")
        event["Records"][0]["s3"]["object"]["key"] = key
        self._run("process", "process_upload", event)

    def poll(self, upload_id: str) -> None:
        self._call("poll", "get_upload", pathParameters={"uploadId": upload_id})

    def bind(self, intent: dict[str, Any]) -> None:
        self._call("bind", "bind_avatar", json.dumps({"publicId": intent["publicId"]}))

    def look(self) -> dict[str, Any]:
        profile: dict[str, Any] = self._call("profile", "get_profile")
        return profile

    def release(self, upload_ids: list[str]) -> None:
        event = sample("release_media")
        [template, *_] = event["Records"]
        event["Records"] = [self._removal(template, number, each) for number, each in enumerate(upload_ids)]
        self._run("release", "release_media", event)

    def purge(self) -> None:
        """Deliver all messages of the purge queue as one batch."""
        event = sample("purge_media")
        [template, *_] = event["Records"]
        bodies = self.aws.messages()
        event["Records"] = [
            {**template, "messageId": str(number), "body": json.dumps(body)} for number, body in enumerate(bodies)
        ]
        self._run("purge", "purge_media", event)

    def avatar(self, picture: bytes, *, bind: bool = False) -> str:
        """Set an avatar, and return the upload's id. With `bind`, processing binds; else the client polls and binds."""
        intent = self.intent(picture, bind=bind)
        self.process(self.upload(intent, picture))
        upload_id: str = intent["uploadId"]
        if not bind:
            self.poll(upload_id)
            self.bind(intent)
        key = self._key(upload_id)
        row = self.aws.dynamodb.get_item(TableName=cloud.UPLOADS_TABLE, Key=key, ConsistentRead=True)["Item"]
        if row["state"] != {"S": "bound"}:
            raise RuntimeError(f"the upload is {row['state']}, not bound")
        self.rows[upload_id] = row
        return upload_id

    def _key(self, upload_id: str) -> dict[str, Any]:
        return {"owner_id": {"S": self.user_id}, "upload_id": {"S": upload_id}}

    def _removal(self, template: dict[str, Any], number: int, upload_id: str) -> dict[str, Any]:
        change = {**template["dynamodb"], "SequenceNumber": str(number), "Keys": self._key(upload_id)}
        if upload_id in self.rows:
            change["OldImage"] = self.rows[upload_id]
        return {**template, "dynamodb": change}

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
    """Return the function's sample event."""
    event: dict[str, Any] = json.loads((EVENTS / f"{function}.json").read_text())
    return event


@dataclass(frozen=True)
class Stored:
    """Bytes that stay in S3, by storage class."""

    standard: int
    infrequent: int = 0


@dataclass(frozen=True)
class Lived:
    """The steps of replacing a picture, and the bytes that stay in S3."""

    steps: tuple[Step, ...]
    stored: Stored


def ours(picture: bytes, *, bind: bool = False) -> Lived:
    """Replace an avatar with this service. With `bind`, the intent asks processing to bind."""
    with deployed() as aws:
        life = Life(aws)
        life.look()
        replaced = life.avatar(picture, bind=bind)
        life.steps.clear()
        life.avatar(picture, bind=bind)
        if bind:  # the answer of a bind call shows the picture; here, the profile does
            life.look()
        life.release([replaced])
        life.purge()
        return Lived(tuple(life.steps), _stored(aws))


def usual(picture: bytes) -> Lived:
    """Replace an avatar the usual way: one request uploads it, another one shows it."""
    with deployed() as aws:
        app = importlib.import_module("tools.bench.cost.usual_way")
        event = sample("get_profile")
        body = json.dumps({"user_avatar": base64.b64encode(picture).decode()})
        for _ in range(2):
            steps = (
                invoke("upload", "upload_avatar", app.upload_avatar, {**event, "body": body}),
                invoke("profile", "get_profile", app.get_profile, event),
            )
        return Lived(steps, _stored(aws))


def _stored(aws: cloud.Cloud) -> Stored:
    buckets = (cloud.UPLOADS_BUCKET, cloud.MEDIA_BUCKET)
    objects = [entry for bucket in buckets for entry in aws.s3.list_objects_v2(Bucket=bucket).get("Contents", ())]
    infrequent = sum(entry["Size"] for entry in objects if entry["StorageClass"] == INFREQUENT)
    return Stored(sum(entry["Size"] for entry in objects) - infrequent, infrequent)
