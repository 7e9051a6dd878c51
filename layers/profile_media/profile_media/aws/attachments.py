"""The `Attachments` port: transactions across both tables.

Needs dynamodb:GetItem and UpdateItem on both tables, and DeleteItem on the uploads table.
"""

from datetime import datetime

from pynamodb.expressions.condition import And, Condition
from pynamodb.expressions.update import Action

from profile_media.aws.models import (
    SLOTS,
    ChangeCountMap,
    IdentityMap,
    SlotMap,
    UploadItem,
    UserItem,
    use_tables,
)
from profile_media.aws.tables import Delete, Update, read_both, transact
from profile_media.domain.model import (
    Attachment,
    ChangeCount,
    Derivative,
    ExternalPicture,
    Profile,
    Slot,
    State,
    Upload,
)
from profile_media.domain.ports import SlotChange


class DynamoAttachments:
    """Slots, and the rows of the uploads bound to them."""

    def __init__(self, users_table: str, uploads_table: str) -> None:
        use_tables(users=users_table, uploads=uploads_table)

    def read(self, user_id: str, upload_id: str) -> tuple[Profile, Upload | None]:
        """Return the profile and the upload as they were at one instant, in one request."""
        user, row = read_both((UserItem, (user_id,)), (UploadItem, (user_id, upload_id)))
        return user.profile() if user else Profile(user_id), row.upload() if row else None

    def change_slot(self, change: SlotChange) -> bool:
        """Change the user's row, the new upload's and the old one's in one transaction."""
        owner_id = change.profile.user_id
        updates = [_update_user(change)]
        if isinstance(change.attachment, Attachment):
            updates.append(_mark_bound(owner_id, change.slot, change.attachment, change.now))
        old = change.expected
        deletes = [Delete(UploadItem(owner_id, old.upload_id))] if isinstance(old, Attachment) else []
        return not transact(deletes=deletes, updates=updates)

    def replace_derivatives(self, bound: Upload, derivatives: tuple[Derivative, ...]) -> bool:
        """Change the upload's row and its owner's in one transaction."""
        old, new = list(bound.derivatives), list(derivatives)
        slot = SLOTS[bound.slot]
        in_slot = Update(
            UserItem(bound.owner_id),
            [slot["derivatives"].set(new)],
            (slot["upload_id"] == bound.upload_id) & (slot["derivatives"] == old),
        )
        in_row = Update(
            UploadItem(bound.owner_id, bound.upload_id),
            [UploadItem.derivatives.set(new)],
            (UploadItem.state == State.BOUND) & (UploadItem.derivatives == old),
        )
        return not transact(updates=[in_slot, in_row])


def _update_user(change: SlotChange) -> Update:
    """Make the update of the user's row; the slot and the count must still be as they were read."""
    slot = SLOTS[change.slot]
    actions: list[Action] = [
        UserItem.created_at.set(UserItem.created_at | change.now),
        UserItem.updated_at.set(change.now),
        slot.set(SlotMap.of(change.attachment)) if change.attachment else slot.remove(),
    ]
    condition = _content_condition(slot, change.expected)
    if change.changes:
        actions.append(UserItem.changes.set(ChangeCountMap(minute=change.changes.minute, count=change.changes.count)))
        condition &= _count_condition(change.profile.changes)
    if change.identity:
        actions.append(UserItem.identity.set(IdentityMap.of(change.identity)))
    if change.profile.created_at is None and change.tenant:
        actions.append(UserItem.tenant.set(change.tenant))
        condition &= UserItem.created_at.does_not_exist()
    return Update(UserItem(change.profile.user_id), actions, condition)


def _mark_bound(owner_id: str, slot: Slot, attachment: Attachment, now: datetime) -> Update:
    return Update(
        UploadItem(owner_id, attachment.upload_id),
        [UploadItem.state.set(State.BOUND), UploadItem.expires_at.remove()],
        (UploadItem.state == State.READY) & (UploadItem.slot == slot) & (UploadItem.expires_at > now),
    )


def _content_condition(slot: SlotMap, expected: Attachment | ExternalPicture | None) -> Condition:
    """Make the condition that the slot has this content."""
    condition: Condition
    match expected:
        case Attachment(upload_id=upload_id):
            condition = slot["upload_id"] == upload_id
        case ExternalPicture(url=url):
            condition = slot["url"] == url
        case None:
            condition = slot.does_not_exist()
    return condition


def _count_condition(expected: ChangeCount | None) -> Condition:
    """Make the condition that the row has this count of changes."""
    if expected is None:
        return UserItem.changes.does_not_exist()
    same_minute: Condition = UserItem.changes["minute"] == expected.minute
    same_count: Condition = UserItem.changes["count"] == expected.count
    return And(same_minute, same_count)
