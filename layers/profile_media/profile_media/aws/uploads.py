"""Upload rows, idempotency keys and quotas: the `Uploads` port on DynamoDB.

Needs dynamodb:GetItem to read, UpdateItem to settle and count, PutItem to create, DeleteItem to free a lapsed key,
each on the uploads table; a transaction needs just those of its items.
"""

from collections.abc import Iterable
from datetime import datetime

from pynamodb.attributes import UnicodeSetAttribute
from pynamodb.exceptions import DeleteError, DoesNotExist, UpdateError
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from profile_media.aws.tables import (
    IDEMPOTENCY_PREFIX,
    QUOTA,
    IdempotencyRow,
    QuotaRow,
    UploadRow,
    available,
    milliseconds,
    name_tables,
    seconds,
    time_of,
    transact,
    upload_of,
)
from profile_media.domain.model import State, Upload
from profile_media.domain.ports import Asked, KeyTaken, Quota, QuotaFull, Remembered

_CONDITION_FAILED = "ConditionalCheckFailedException"

_QUOTA_KEPT = 3600
"""Seconds a quota is kept after its last upload would have expired: by then nothing in it counts any more."""


class DynamoUploads:
    """Uploads, in their table."""

    def __init__(self, table: str) -> None:
        name_tables(uploads=table)

    def get(self, owner_id: str, upload_id: str) -> Upload | None:
        """The row, expired or not."""
        with available():
            try:
                return upload_of(UploadRow.get(owner_id, upload_id, consistent_read=True))
            except DoesNotExist:
                return None

    def create(self, upload: Upload, remembered: Remembered | None, *, open_limit: int, recent_limit: int) -> None:
        """One transaction: the row, the key if there is one, and the counts. Raises KeyTaken, else QuotaFull."""

        def fill(transaction: TransactWrite) -> None:
            if remembered:
                _put_key(transaction, upload, remembered)
            transaction.save(_row_of(upload), condition=UploadRow.upload_id.does_not_exist())
            _add_to_quota(transaction, upload, open_limit, recent_limit)

        failed = transact(fill)
        if not failed:
            return
        *key_failed, row_failed, _ = failed
        if row_failed:
            return  # Ids are random, so the row is ours: an earlier attempt got through and its answer was lost.
        if any(key_failed):
            raise KeyTaken
        raise QuotaFull

    def recall(self, actor_id: str, key_hash: str) -> Remembered | None:
        """What was remembered under an idempotency key, expired or not."""
        with available():
            try:
                row = IdempotencyRow.get(actor_id, IDEMPOTENCY_PREFIX + key_hash, consistent_read=True)
            except DoesNotExist:
                return None
        return Remembered(actor_id, key_hash, row.request_hash, row.made, time_of(row.expires_at * 1000))

    def forget(self, remembered: Remembered) -> None:
        """Frees a key, if it still names that upload."""
        row = IdempotencyRow(remembered.actor_id, IDEMPOTENCY_PREFIX + remembered.key_hash)
        with available():
            try:
                row.delete(condition=IdempotencyRow.made == remembered.upload_id)
            except DeleteError as error:
                if error.cause_response_code != _CONDITION_FAILED:
                    raise

    def quota(self, owner_id: str) -> Quota:
        """The counts, stale entries included."""
        with available():
            try:
                row = QuotaRow.get(owner_id, QUOTA, consistent_read=True)
            except DoesNotExist:
                return Quota()
        return Quota(_asked(row.open), _asked(row.recent))

    def prune(self, owner_id: str, stale: Quota) -> None:
        """Takes these entries off the counts."""
        actions: list[Action] = []
        if stale.open:
            actions.append(QuotaRow.open.delete(_entries(stale.open)))
        if stale.recent:
            actions.append(QuotaRow.recent.delete(_entries(stale.recent)))
        if actions:
            with available():
                QuotaRow(owner_id, QUOTA).update(actions)

    def settle(self, upload: Upload, now: datetime) -> bool:
        """One conditional write: the row must still be pending, and not expired."""
        row = _row_of(upload)
        actions: list[Action] = [UploadRow.state.set(row.state), UploadRow.expires_at.set(row.expires_at)]
        if upload.reason:
            actions.append(UploadRow.reason.set(upload.reason.value))
        else:
            actions += [
                UploadRow.width.set(row.width),
                UploadRow.height.set(row.height),
                UploadRow.derivatives.set(row.derivatives),
            ]
        still_pending = (UploadRow.state == State.PENDING.value) & (UploadRow.expires_at > seconds(now))
        with available():
            try:
                row.update(actions, condition=still_pending)
            except UpdateError as error:
                if error.cause_response_code != _CONDITION_FAILED:
                    raise
                return False
        return True


def _put_key(transaction: TransactWrite, upload: Upload, remembered: Remembered) -> None:
    row = IdempotencyRow(
        remembered.actor_id,
        IDEMPOTENCY_PREFIX + remembered.key_hash,
        made=upload.upload_id,
        request_hash=remembered.request_hash,
        expires_at=seconds(remembered.expires_at),
    )
    free = IdempotencyRow.made.does_not_exist() | (IdempotencyRow.expires_at <= seconds(upload.created_at))
    transaction.save(row, condition=free | (IdempotencyRow.made == upload.upload_id))


def _add_to_quota(transaction: TransactWrite, upload: Upload, open_limit: int, recent_limit: int) -> None:
    entry = _entries({Asked(upload.created_at, upload.upload_id)})
    transaction.update(
        QuotaRow(upload.owner_id, QUOTA),
        actions=[
            QuotaRow.open.add(entry),
            QuotaRow.recent.add(entry),
            QuotaRow.expires_at.set(seconds(upload.expires_at or upload.created_at) + _QUOTA_KEPT),
        ],
        condition=_fewer(QuotaRow.open, open_limit) & _fewer(QuotaRow.recent, recent_limit),
    )


def _fewer(entries: UnicodeSetAttribute, limit: int) -> Condition:
    """DynamoDB has no empty sets: one that lost its last entry does not exist."""
    condition: Condition = entries.does_not_exist() | (size(entries) < limit)  # type: ignore[no-untyped-call]
    return condition


def _row_of(upload: Upload) -> UploadRow:
    return UploadRow(
        upload.owner_id,
        upload.upload_id,
        slot=upload.slot.value,
        state=upload.state.value,
        content_type=upload.content_type.value,
        content_length=upload.content_length,
        checksum_sha256=upload.checksum_sha256,
        created_at=milliseconds(upload.created_at),
        expires_at=None if upload.expires_at is None else seconds(upload.expires_at),
        width=upload.width,
        height=upload.height,
        derivatives=list(upload.derivatives) or None,
        reason=upload.reason.value if upload.reason else None,
    )


def _entries(asked: Iterable[Asked]) -> set[str]:
    return {f"{milliseconds(each.at)}#{each.upload_id}" for each in asked}


def _asked(entries: set[str] | None) -> frozenset[Asked]:
    pairs = (entry.split("#", 1) for entry in entries or ())
    return frozenset(Asked(time_of(int(at)), upload_id) for at, upload_id in pairs)
