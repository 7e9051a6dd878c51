"""Upload rows, idempotency keys and quotas: the `Uploads` port on DynamoDB.

Needs dynamodb:GetItem to read, UpdateItem to settle and count, PutItem to create, DeleteItem to free a lapsed key,
each on the uploads table; a transaction needs just those of its items.
"""

from collections.abc import Iterable
from datetime import datetime

from profile_media.aws.dynamodb import Write, delete, get, item_of, put, transact, update, write
from profile_media.aws.tables import (
    IDEMPOTENCY_PREFIX,
    QUOTA,
    milliseconds,
    seconds,
    time_of,
    upload_attributes,
    upload_key,
    upload_of,
)
from profile_media.domain.model import State, Upload
from profile_media.domain.ports import IdempotencyKeyInUse, IdempotencyRecord, QuotaEntry, QuotaExceeded, QuotaUsage

_QUOTA_KEPT = 3600
"""Seconds a quota is kept after its last upload would have expired: by then nothing in it counts any more."""


_SETTLED = ("state", "expires_at", "width", "height", "derivatives", "reason")
"""What settling says of an upload."""


class DynamoUploads:
    """Uploads, in their table."""

    def __init__(self, table: str) -> None:
        self._table = table

    def get(self, owner_id: str, upload_id: str) -> Upload | None:
        """The row, expired or not."""
        item = get(self._table, upload_key(owner_id, upload_id))
        return upload_of(item) if item else None

    def create(
        self, upload: Upload, remembered: IdempotencyRecord | None, *, open_limit: int, recent_limit: int
    ) -> None:
        """One transaction: the row, the key if there is one, and the counts. Raises KeyTaken, else QuotaFull."""
        failed = transact(
            *([self._key(upload, remembered)] if remembered else []),
            put(self._table, item_of(upload_attributes(upload)), "attribute_not_exists(#upload_id)"),
            self._counted(upload, open_limit, recent_limit),
        )
        if not failed:
            return
        *key_failed, row_failed, _ = failed
        if row_failed:
            return  # ids are random, so the row is ours: an earlier attempt got through and its answer was lost.
        if any(key_failed):
            raise IdempotencyKeyInUse
        raise QuotaExceeded

    def find_idempotency_record(self, actor_id: str, key_hash: str) -> IdempotencyRecord | None:
        """What was remembered under an idempotency key, expired or not."""
        item = get(self._table, upload_key(actor_id, IDEMPOTENCY_PREFIX + key_hash))
        if item is None:
            return None
        expires_at = time_of(int(item["expires_at"]["N"]) * 1000)
        return IdempotencyRecord(actor_id, key_hash, item["request_hash"]["S"], item["made"]["S"], expires_at)

    def delete_idempotency_record(self, remembered: IdempotencyRecord) -> None:
        """Frees a key, if it still names that upload."""
        key = upload_key(remembered.actor_id, IDEMPOTENCY_PREFIX + remembered.key_hash)
        write(delete(self._table, key, "#made = :made", made=remembered.upload_id))

    def quota_usage(self, owner_id: str) -> QuotaUsage:
        """The counts, stale entries included."""
        item = get(self._table, upload_key(owner_id, QUOTA)) or {}
        return QuotaUsage(*(_asked(item[name]["SS"]) if name in item else frozenset() for name in ("open", "recent")))

    def remove_quota_entries(self, owner_id: str, stale: QuotaUsage) -> None:
        """Takes these entries off the counts."""
        entries = {"open": _entries(stale.open), "recent": _entries(stale.recent)}
        if gone := {name: each for name, each in entries.items() if each}:
            changes = "DELETE " + ", ".join(f"#{name} :{name}" for name in gone)
            write(update(self._table, upload_key(owner_id, QUOTA), changes, **gone))

    def settle(self, upload: Upload, now: datetime) -> bool:
        """One conditional write: the row must still be pending, and not expired."""
        attributes = upload_attributes(upload)
        settled = {name: attributes[name] for name in _SETTLED if attributes[name] is not None}
        return write(
            update(
                self._table,
                upload_key(upload.owner_id, upload.upload_id),
                "SET " + ", ".join(f"#{name} = :{name}" for name in settled),
                "#state = :pending AND #expires_at > :now",
                **settled,
                pending=State.PENDING,
                now=seconds(now),
            )
        )

    def _key(self, upload: Upload, remembered: IdempotencyRecord) -> Write:
        attributes = {
            "owner_id": remembered.actor_id,
            "upload_id": IDEMPOTENCY_PREFIX + remembered.key_hash,
            "made": upload.upload_id,
            "request_hash": remembered.request_hash,
            "expires_at": seconds(remembered.expires_at),
        }
        return put(
            self._table,
            item_of(attributes),
            "attribute_not_exists(#made) OR #expires_at <= :now OR #made = :made",
            now=seconds(upload.created_at),
            made=upload.upload_id,
        )

    def _counted(self, upload: Upload, open_limit: int, recent_limit: int) -> Write:
        """DynamoDB has no empty sets: one that lost its last entry does not exist."""
        return update(
            self._table,
            upload_key(upload.owner_id, QUOTA),
            "ADD #open :entry, #recent :entry SET #expires_at = :expires_at",
            "(attribute_not_exists(#open) OR size(#open) < :open_limit)"
            " AND (attribute_not_exists(#recent) OR size(#recent) < :recent_limit)",
            entry=_entries({QuotaEntry(upload.created_at, upload.upload_id)}),
            expires_at=seconds(upload.expires_at or upload.created_at) + _QUOTA_KEPT,
            open_limit=open_limit,
            recent_limit=recent_limit,
        )


def _entries(asked: Iterable[QuotaEntry]) -> set[str]:
    return {f"{milliseconds(each.at)}#{each.upload_id}" for each in asked}


def _asked(entries: Iterable[str]) -> frozenset[QuotaEntry]:
    pairs = (entry.split("#", 1) for entry in entries)
    return frozenset(QuotaEntry(time_of(int(at)), upload_id) for at, upload_id in pairs)
