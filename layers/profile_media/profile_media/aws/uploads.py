"""The `Uploads` port: upload rows, idempotency records and quotas.

Needs, on the uploads table, dynamodb:GetItem to read, PutItem to create, UpdateItem to save results and count intents,
and DeleteItem to delete uploads and idempotency records. A transaction needs the same rights as its writes.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pynamodb.attributes import Attribute
from pynamodb.expressions.condition import size

from profile_media.aws.models import IdempotencyItem, QuotaItem, UploadItem, use_tables
from profile_media.aws.tables import Delete, Save, Update, read, transact, write
from profile_media.domain.model import State, Upload
from profile_media.domain.ports import IdempotencyKeyInUse, IdempotencyRecord, QuotaEntry, QuotaExceeded, QuotaUsage

_QUOTA_KEPT = timedelta(hours=1)
"""The time from the expiry of the last upload to the expiry of the quota. No entry counts any more then."""


class DynamoUploads:
    """Uploads, in their table."""

    def __init__(self, table: str) -> None:
        use_tables(uploads=table)

    def get(self, owner_id: str, upload_id: str) -> Upload | None:
        """Return the row, even if it has expired."""
        item = read(UploadItem, owner_id, upload_id)
        return item.upload() if item else None

    def create(self, upload: Upload, record: IdempotencyRecord | None, *, open_limit: int, recent_limit: int) -> None:
        """Write the row, the quota entries and the idempotency record in one transaction."""
        row = Save(UploadItem.of(upload), UploadItem.upload_id.does_not_exist())
        remember = [_remember(record, upload)] if record else []
        failed = transact(saves=[*remember, row], updates=[_count(upload, open_limit, recent_limit)])
        if not failed:
            return
        if any(item is row.item for item in failed):
            return  # Ids are random, so the row is ours: an earlier attempt succeeded and its answer was lost.
        if any(isinstance(item, IdempotencyItem) for item in failed):
            raise IdempotencyKeyInUse
        raise QuotaExceeded

    def find_idempotency_record(self, actor_id: str, key_hash: str) -> IdempotencyRecord | None:
        """Return the record of an idempotency key, even if it has expired."""
        item = read(IdempotencyItem, actor_id, IdempotencyItem.PREFIX + key_hash)
        if item is None:
            return None
        return IdempotencyRecord(actor_id, key_hash, item.request_hash, item.made, item.expires_at)

    def delete_idempotency_record(self, record: IdempotencyRecord) -> None:
        """Delete the record if it still names that upload."""
        item = IdempotencyItem(record.actor_id, IdempotencyItem.PREFIX + record.key_hash)
        write(Delete(item, IdempotencyItem.made == record.upload_id))

    def quota_usage(self, owner_id: str) -> QuotaUsage:
        """Return the quota entries, including stale ones."""
        item = read(QuotaItem, owner_id, QuotaItem.RANGE_KEY)
        return QuotaUsage(_parse(item.open), _parse(item.recent)) if item else QuotaUsage()

    def remove_quota_entries(self, owner_id: str, stale: QuotaUsage) -> None:
        """Remove these entries."""
        entries = ((QuotaItem.open, stale.open), (QuotaItem.recent, stale.recent))
        if actions := [attribute.delete(_format(gone)) for attribute, gone in entries if gone]:
            write(Update(QuotaItem(owner_id, QuotaItem.RANGE_KEY), actions))

    def save_result(self, upload: Upload, now: datetime) -> bool:
        """Write the result in one conditional write: the row must be pending and not have expired."""
        item = UploadItem.of(upload)
        result: tuple[tuple[Attribute[Any], object], ...] = (
            (UploadItem.state, item.state),
            (UploadItem.expires_at, item.expires_at),
            (UploadItem.content_type, item.content_type),
            (UploadItem.width, item.width),
            (UploadItem.height, item.height),
            (UploadItem.derivatives, item.derivatives),
            (UploadItem.reason, item.reason),
            (UploadItem.placeholder, item.placeholder),
        )
        actions = [attribute.set(value) for attribute, value in result if value is not None]
        still_pending = (UploadItem.state == State.PENDING) & (UploadItem.expires_at > now)
        return write(Update(UploadItem(upload.owner_id, upload.upload_id), actions, still_pending))

    def delete(self, upload: Upload) -> bool:
        """Delete the row and the quota entry in one transaction: the row must not be bound."""
        unbound = UploadItem.state.does_not_exist() | (UploadItem.state != State.BOUND)
        row = Delete(UploadItem(upload.owner_id, upload.upload_id), unbound)
        return not transact(deletes=[row], updates=[_close(upload)])


def _remember(record: IdempotencyRecord, upload: Upload) -> Save:
    """Make the write of an idempotency record: the key must be unused, expired, or used for this upload."""
    item = IdempotencyItem(
        record.actor_id,
        IdempotencyItem.PREFIX + record.key_hash,
        made=upload.upload_id,
        request_hash=record.request_hash,
        expires_at=record.expires_at,
    )
    unused = IdempotencyItem.made.does_not_exist()
    expired = IdempotencyItem.expires_at <= upload.created_at
    return Save(item, unused | expired | (IdempotencyItem.made == upload.upload_id))


def _count(upload: Upload, open_limit: int, recent_limit: int) -> Update:
    """Make the write of the quota entries: both sets must be below their limits."""
    entry = _format([QuotaEntry(upload.created_at, upload.upload_id)])
    expires_at = (upload.expires_at or upload.created_at) + _QUOTA_KEPT
    return Update(
        QuotaItem(upload.owner_id, QuotaItem.RANGE_KEY),
        [QuotaItem.open.add(entry), QuotaItem.recent.add(entry), QuotaItem.expires_at.set(expires_at)],
        (QuotaItem.open.does_not_exist() | (size(QuotaItem.open) < open_limit))
        & (QuotaItem.recent.does_not_exist() | (size(QuotaItem.recent) < recent_limit)),
    )


def _close(upload: Upload) -> Update:
    """Make the write that removes an upload from the open intents. An item that this creates expires too."""
    return Update(
        QuotaItem(upload.owner_id, QuotaItem.RANGE_KEY),
        [
            QuotaItem.open.delete(_format([QuotaEntry(upload.created_at, upload.upload_id)])),
            QuotaItem.expires_at.set(QuotaItem.expires_at | (upload.created_at + _QUOTA_KEPT)),
        ],
    )


def _format(entries: Iterable[QuotaEntry]) -> set[str]:
    return {f"{round(each.at.timestamp() * 1000)}#{each.upload_id}" for each in entries}


def _parse(entries: set[str] | None) -> frozenset[QuotaEntry]:
    pairs = (entry.split("#", 1) for entry in entries or ())
    return frozenset(QuotaEntry(datetime.fromtimestamp(int(at) / 1000, UTC), upload_id) for at, upload_id in pairs)
