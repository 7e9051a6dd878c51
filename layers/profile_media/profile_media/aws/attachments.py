"""The links between slots and pictures: the `Attachments` port, on transactions across both tables.

Needs dynamodb:GetItem and UpdateItem on both tables, and DeleteItem on the uploads table.
"""

from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import _ModelFuture
from pynamodb.transactions import TransactGet, TransactWrite

from profile_media.aws.tables import (
    WRITES_PREFIX,
    AttachmentMap,
    UploadRow,
    UserRow,
    WritesRow,
    attachment_map,
    connection,
    identity_map,
    milliseconds,
    name_tables,
    profile_of,
    seconds,
    transact,
    unhindered,
    upload_of,
)
from profile_media.domain.model import Attachment, Derivative, ExternalPicture, Profile, Slot, State, Upload
from profile_media.domain.ports import Swap, Swapped, WriteLimit

_COUNTS_KEPT = 3600
"""Seconds a minute's count is kept: DynamoDB removes it when it likes, and it means nothing after its minute."""


class DynamoAttachments:
    """Slots, and the rows of the uploads bound to them."""

    def __init__(self, users_table: str, uploads_table: str) -> None:
        name_tables(users=users_table, uploads=uploads_table)

    def read(self, user_id: str, upload_id: str) -> tuple[Profile, Upload | None]:
        """The profile and the upload as they were at one instant, in one call."""

        def look() -> tuple[_ModelFuture[UserRow], _ModelFuture[UploadRow]]:
            with TransactGet(connection=connection()) as transaction:
                return transaction.get(UserRow, user_id), transaction.get(UploadRow, user_id, upload_id)

        user, upload = unhindered(look)
        try:
            profile = profile_of(user_id, user.get())
        except DoesNotExist:
            profile = Profile(user_id)
        try:
            return profile, upload_of(upload.get())
        except DoesNotExist:
            return profile, None

    def swap(self, change: Swap) -> Swapped:
        """One transaction over the user's row, the new upload's, the old one's, and the caller's count."""

        def fill(transaction: TransactWrite) -> None:
            owner_id = change.profile.user_id
            _point(transaction, change)
            if isinstance(change.attachment, Attachment):
                _keep(transaction, owner_id, change.slot, change.attachment, change.now)
            if isinstance(change.relied_on, Attachment):
                transaction.delete(UploadRow(owner_id, change.relied_on.upload_id))
            if change.limit:
                _count(transaction, change.limit, change.now)

        failed = transact(fill)
        if not failed:
            return Swapped.DONE
        *rows_failed, last_failed = failed
        return Swapped.LIMITED if change.limit and last_failed and not any(rows_failed) else Swapped.CHANGED

    def rename(self, bound: Upload, derivatives: tuple[Derivative, ...]) -> bool:
        """One transaction over the upload's row and its owner's."""
        slot: Any = getattr(UserRow, bound.slot.value)
        old, new = list(bound.derivatives), list(derivatives)

        def fill(transaction: TransactWrite) -> None:
            transaction.update(
                UserRow(bound.owner_id),
                actions=[slot.derivatives.set(new)],
                condition=(slot.upload_id == bound.upload_id) & (slot.derivatives == old),
            )
            transaction.update(
                UploadRow(bound.owner_id, bound.upload_id),
                actions=[UploadRow.derivatives.set(new)],
                condition=(UploadRow.state == State.BOUND.value) & (UploadRow.derivatives == old),
            )

        return not transact(fill)


def _point(transaction: TransactWrite, change: Swap) -> None:
    slot = getattr(UserRow, change.slot.value)
    now = milliseconds(change.now)
    actions: list[Action] = [
        slot.set(attachment_map(change.attachment)) if change.attachment else slot.remove(),
        UserRow.created_at.set(UserRow.created_at | now),
        UserRow.updated_at.set(now),
    ]
    if change.identity:
        actions.append(UserRow.identity.set(identity_map(change.identity)))
    condition = _holds(slot, change.relied_on)
    if change.profile.created_at is None and change.tenant:
        actions.append(UserRow.tenant.set(change.tenant))
        condition &= UserRow.created_at.does_not_exist()
    transaction.update(UserRow(change.profile.user_id), actions=actions, condition=condition)


def _keep(transaction: TransactWrite, owner_id: str, slot: Slot, attachment: Attachment, now: datetime) -> None:
    transaction.update(
        UploadRow(owner_id, attachment.upload_id),
        actions=[UploadRow.state.set(State.BOUND.value), UploadRow.expires_at.remove()],
        condition=(UploadRow.state == State.READY.value)
        & (UploadRow.slot == slot.value)
        & (UploadRow.expires_at > seconds(now)),
    )


def _count(transaction: TransactWrite, limit: WriteLimit, now: datetime) -> None:
    minute = seconds(now) // 60
    transaction.update(
        WritesRow(limit.actor_id, f"{WRITES_PREFIX}{minute}"),
        actions=[WritesRow.changes.add(1), WritesRow.expires_at.set(minute * 60 + _COUNTS_KEPT)],
        condition=WritesRow.changes.does_not_exist() | (WritesRow.changes < limit.per_minute),
    )


def _holds(slot: AttachmentMap, held: Attachment | ExternalPicture | None) -> Condition:
    """The slot as the change relies on it."""
    condition: Condition
    match held:
        case Attachment(upload_id=upload_id):
            condition = slot.upload_id == upload_id  # type: ignore[assignment]
        case ExternalPicture(url=url):
            condition = slot.url == url  # type: ignore[assignment]
        case None:
            condition = slot.does_not_exist()
    return condition
