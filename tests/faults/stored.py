"""Read, save and restore what moto stores, without API calls: tests of faults look at all data after every call."""

import json
import pickle
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from tests import cloud

QUEUES = ("purge", "redrive")


def rows_of(table: str) -> list[dict[str, Any]]:
    """Return every row of a table as plain values."""
    plain = TypeDeserializer().deserialize
    items = _tables()[table].all_items()
    return [{name: plain(value) for name, value in item.to_json()["Attributes"].items()} for item in items]


def remove_row(row: Mapping[str, Any]) -> None:
    """Remove a row of the uploads table, as DynamoDB does when its time is up."""
    keys = (DynamoType({"S": row[name]}) for name in ("owner_id", "upload_id"))
    _tables()[cloud.UPLOADS_TABLE].delete_item(*keys)


def objects_of(bucket: str) -> dict[str, Any]:
    """Return every object of a bucket by its key."""
    return dict(s3_backends[cloud.ACCOUNT]["aws"].buckets[bucket].keys.items())


def remove_objects(bucket: str) -> None:
    """Empty a bucket, as a lifecycle rule does."""
    keys = s3_backends[cloud.ACCOUNT]["aws"].buckets[bucket].keys
    for key in list(keys):
        keys.pop(key)


def date_object(bucket: str, key: str, when: datetime) -> None:
    """Set the time of an object's last change."""
    objects_of(bucket)[key].last_modified = when.replace(tzinfo=None)


def messages_of(queue: str) -> list[str]:
    """Return the bodies of all messages of a queue, and leave them there."""
    return [message.body for message in _sqs().queues[queue].messages]


def take_messages(queue: str) -> list[Any]:
    """Remove all messages from a queue and return their bodies, parsed."""
    bodies = [json.loads(body) for body in messages_of(queue)]
    _sqs().purge_queue(queue)
    return bodies


@dataclass(frozen=True)
class Stored:
    """Everything that moto stores: rows, objects with their dates, messages."""

    rows: bytes
    objects: Mapping[str, Mapping[str, tuple[str, bytes, datetime]]]
    messages: Mapping[str, tuple[str, ...]]


def save() -> Stored:
    """Save everything, to restore it later within a millisecond."""
    return Stored(
        pickle.dumps({name: table.items for name, table in _tables().items()}),
        {
            bucket: {key: (each.etag, each.value, each.last_modified) for key, each in objects_of(bucket).items()}
            for bucket in (cloud.UPLOADS_BUCKET, cloud.MEDIA_BUCKET)
        },
        {queue: tuple(messages_of(queue)) for queue in QUEUES},
    )


def restore(stored: Stored) -> None:
    """Restore what was saved, and drop everything else."""
    for name, items in pickle.loads(stored.rows).items():  # noqa: S301 - pickled by `save`
        _tables()[name].items = items
    s3 = s3_backends[cloud.ACCOUNT]["aws"]
    for bucket, wanted in stored.objects.items():
        present, keys = objects_of(bucket), s3.buckets[bucket].keys
        for key in [key for key, each in present.items() if each.etag != wanted.get(key, ("",))[0]]:
            keys.pop(key)
        for key, (_, value, date) in wanted.items():
            if key not in keys:
                s3.put_object(bucket, key, value).last_modified = date
    for queue, bodies in stored.messages.items():
        if tuple(messages_of(queue)) != bodies:
            _sqs().purge_queue(queue)
            for body in bodies:
                _sqs().send_message(queue, body)


def _tables() -> dict[str, Any]:
    return dict(dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables)


def _sqs() -> Any:
    return sqs_backends[cloud.ACCOUNT][cloud.REGION]


def fingerprint() -> Hashable:
    """Return a value that is equal for equal data, whenever it was written."""
    rows = frozenset(str(item.to_json()) for table in _tables().values() for item in table.all_items())
    objects = frozenset(
        (bucket, key, each.etag)
        for bucket in (cloud.UPLOADS_BUCKET, cloud.MEDIA_BUCKET)
        for key, each in objects_of(bucket).items()
    )
    return rows, objects, tuple(tuple(messages_of(queue)) for queue in QUEUES)
