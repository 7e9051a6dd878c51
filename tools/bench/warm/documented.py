"""The same three handlers, written as the documentation of Powertools and PynamoDB shows.

Powertools: `Logger.inject_lambda_context`, `Metrics.log_metrics`, `APIGatewayRestResolver` with CORS; pydantic parses
the bodies. PynamoDB: models, `TransactGet`, `TransactWrite`, condition expressions. Left out in their favour: the
tracer and the resolver's own data validation.
"""

# mypy: disable-error-code="no-untyped-call"
# PynamoDB does not annotate the constructors of map attributes.

import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig
from aws_lambda_powertools.event_handler.exceptions import BadRequestError, NotFoundError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config
from pydantic import BaseModel, ConfigDict, Field
from pynamodb.attributes import ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.connection import Connection
from pynamodb.expressions.condition import size
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

from tools.bench.warm import peers

REGION = "eu-central-1"

logger = Logger()
metrics = Metrics()
cors = CORSConfig(allow_origin=peers.ORIGINS[0], extra_origins=peers.ORIGINS[1:])
app = APIGatewayRestResolver(cors=cors)
connection = Connection(region=REGION)
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))


class Derivative(MapAttribute[str, Any]):
    name = UnicodeAttribute()
    digest = UnicodeAttribute()
    content_type = UnicodeAttribute()
    width = NumberAttribute()
    height = NumberAttribute()
    size = NumberAttribute()


class Picture(MapAttribute[str, Any]):
    upload_id = UnicodeAttribute()
    derivatives = ListAttribute(of=Derivative)


class Changes(MapAttribute[str, Any]):
    minute = NumberAttribute()
    count = NumberAttribute()


class User(Model):
    class Meta:
        table_name = peers.USERS
        region = REGION

    user_id = UnicodeAttribute(hash_key=True)
    avatar = Picture(null=True)
    cover_image = Picture(null=True)
    changes = Changes(null=True)
    created_at = NumberAttribute(null=True)
    updated_at = NumberAttribute(null=True)


class Upload(Model):
    class Meta:
        table_name = peers.UPLOADS
        region = REGION

    owner_id = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True)
    slot = UnicodeAttribute()
    state = UnicodeAttribute()
    content_type = UnicodeAttribute()
    content_length = NumberAttribute()
    created_at = NumberAttribute()
    expires_at = NumberAttribute(null=True)
    width = NumberAttribute(null=True)
    height = NumberAttribute(null=True)
    derivatives = ListAttribute(of=Derivative, null=True)


class Quota(Model):
    class Meta:
        table_name = peers.UPLOADS
        region = REGION

    owner_id = UnicodeAttribute(hash_key=True)
    upload_id = UnicodeAttribute(range_key=True, default="quota")
    open = UnicodeSetAttribute(null=True)
    recent = UnicodeSetAttribute(null=True)
    expires_at = NumberAttribute()


class IntentBody(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    slot: Literal["avatar", "coverImage"]
    content_type: Literal[*peers.TYPES] = Field(alias="contentType")  # type: ignore[valid-type]
    content_length: Annotated[int, Field(alias="contentLength", gt=0, le=peers.MAX_BYTES)]


class BindBody(BaseModel):
    public_id: str = Field(alias="publicId")


@app.post("/media/intents")
def _create_upload_intent() -> tuple[dict[str, Any], int]:
    user_id = peers.check_token_is_current(app.current_event.raw_event)
    body = IntentBody.model_validate_json(app.current_event.body or "")
    now, upload_id = time.time(), str(uuid.uuid4())
    expires, entry = int(now) + peers.PENDING_SECONDS, f"{int(now * 1000)}#{upload_id}"
    upload = Upload(
        user_id,
        upload_id,
        slot=peers.SLOTS[body.slot],
        state="pending",
        content_type=body.content_type,
        content_length=body.content_length,
        created_at=int(now * 1000),
        expires_at=expires,
    )
    free = (Quota.open.does_not_exist() | (size(Quota.open) < peers.OPEN_INTENTS)) & (
        Quota.recent.does_not_exist() | (size(Quota.recent) < peers.INTENTS_PER_HOUR)
    )
    with TransactWrite(connection=connection) as transaction:
        transaction.save(upload, condition=Upload.upload_id.does_not_exist())
        transaction.update(
            Quota(user_id),
            actions=[Quota.open.add({entry}), Quota.recent.add({entry}), Quota.expires_at.set(expires + 3600)],
            condition=free,
        )
    key = f"incoming/{peers.owner_key(user_id)}/{upload_id}"
    conditions = peers.post_conditions(body.content_type, body.content_length)
    post = s3.generate_presigned_post(peers.BUCKET, key, **conditions)
    logger.info("upload intent created", extra={"upload_id": upload_id, "owner": user_id, "slot": upload.slot})
    metrics.add_metric(name="IntentsCreated", unit=MetricUnit.Count, value=1)
    return peers.intent_json(user_id, upload_id, body.slot, expires, post), 201


@app.get("/media/uploads/<upload_id>")
def _get_upload(upload_id: str) -> dict[str, Any]:
    user_id = peers.check_token_is_current(app.current_event.raw_event)
    try:
        upload = Upload.get(user_id, upload_id, consistent_read=True)
    except Upload.DoesNotExist as missing:
        raise NotFoundError("Not found") from missing
    expires_at = int(upload.expires_at or 0)
    if expires_at <= time.time():
        raise NotFoundError("Not found")
    numbers = int(upload.created_at), expires_at, int(upload.width or 0), int(upload.height or 0)
    derivatives = _derivatives(upload.derivatives or ())
    return peers.upload_json(user_id, peers.Upload(upload_id, upload.slot, upload.state, *numbers, derivatives))


@app.patch("/user/profile/avatar")
def _bind_avatar() -> dict[str, Any]:
    user_id = peers.check_token_is_current(app.current_event.raw_event)
    body = BindBody.model_validate_json(app.current_event.body or "")
    upload_id = peers.upload_id_of(body.public_id, user_id)
    if not upload_id:
        raise BadRequestError("Invalid publicId")
    with TransactGet(connection=connection) as reads:
        user_read, upload_read = reads.get(User, user_id), reads.get(Upload, user_id, upload_id)
    user, upload = user_read.get(), upload_read.get()
    now = time.time()
    if upload.state != "ready" or int(upload.expires_at or 0) <= now:
        raise BadRequestError("Invalid publicId")
    minute, counted = int(now) // 60, user.changes
    count = int(counted.count) + 1 if counted and counted.minute == minute else 1
    if count > peers.CHANGES_PER_MINUTE:
        raise BadRequestError("Too many changes")
    old = user.avatar.upload_id if user.avatar else None
    actions: list[Action] = [
        User.avatar.set(Picture(upload_id=upload_id, derivatives=upload.derivatives)),
        User.changes.set(Changes(minute=minute, count=count)),
        User.updated_at.set(int(now * 1000)),
        User.created_at.set(User.created_at | int(now * 1000)),
    ]
    unchanged: Any = User.avatar.upload_id == old if old else User.avatar.does_not_exist()
    ready = (Upload.state == "ready") & (Upload.slot == "avatar") & (Upload.expires_at > int(now))
    with TransactWrite(connection=connection) as transaction:
        transaction.update(user, actions=actions, condition=unchanged)
        transaction.update(upload, actions=[Upload.state.set("bound"), Upload.expires_at.remove()], condition=ready)
        if old:
            transaction.delete(Upload(user_id, old))
    audit = {"owner": user_id, "actor": user_id, "slot": "avatar", "upload_id": upload_id, "previous_upload_id": old}
    logger.info(f"[avatar] Updated for user {user_id}", extra={"audit": audit})
    metrics.add_metric(name="Binds", unit=MetricUnit.Count, value=1)
    picture = peers.picture_json(user_id, "avatar", upload_id, _derivatives(upload.derivatives or ()))
    return {"avatar": picture, "coverImage": None, "updatedAt": peers.iso_time(int(now * 1000))}


def _derivatives(stored: Iterable[Derivative]) -> Iterator[peers.Derivative]:
    for each in stored:
        numbers = (int(each.width), int(each.height), int(each.size))
        yield peers.Derivative(each.name, each.digest, each.content_type, *numbers)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


create_upload_intent = get_upload = bind_avatar = handler
