"""The `Attachments` port: transactions across both tables.

Needs dynamodb:GetItem and UpdateItem on both tables, and DeleteItem on the uploads table.
"""

from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute
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
    ExternalPicture,
    Profile,
    Slot,
    State,
    Upload,
)
from profile_media.domain.ports import Revision, SlotChange


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

    def revise(self, revision: Revision) -> bool:
        """Change the upload's row and, if it is bound, its owner's, in one transaction."""
        upload = revision.upload
        as_read = _shown_condition(upload.attachment) & (UploadItem.state == upload.state)
        if upload.expires_at:
            as_read &= UploadItem.expires_at > revision.now
        row = UploadItem(upload.owner_id, upload.upload_id)
        updates = [Update(row, _show(revision.revised.attachment), as_read)]
        if upload.state is State.BOUND:
            updates.append(_revise_slot(revision))
        return not transact(updates=updates)


def _revise_slot(revision: Revision) -> Update:
    """Make the update of the user's row; the slot and the count must still be as they were read."""
    upload, slot = revision.upload, SLOTS[revision.upload.slot]
    actions: list[Action] = [slot.set(SlotMap.of(revision.revised.attachment))]
    condition = (slot["upload_id"] == upload.upload_id) & (slot["derivatives"] == list(upload.derivatives))
    if revision.changes:
        actions += [UserItem.updated_at.set(revision.now), _set_count(revision.changes)]
        condition &= _count_condition(revision.profile.changes)
    return Update(UserItem(upload.owner_id), actions, condition)


def _show(attachment: Attachment) -> list[Action]:
    """Make the update of everything that a page needs to show an upload."""
    values: tuple[tuple[Attribute[Any], object], ...] = (
        (UploadItem.derivatives, list(attachment.derivatives)),
        (UploadItem.framing, attachment.framing),
        (UploadItem.alt_text, attachment.alt_text),
        (UploadItem.placeholder, attachment.placeholder),
    )
    return [name.remove() if value is None else name.set(value) for name, value in values]


def _shown_condition(attachment: Attachment) -> Condition:
    """Make the condition that a row is shown like this. The placeholder follows from the derivatives."""
    condition: Condition = UploadItem.derivatives == list(attachment.derivatives)
    choices: tuple[tuple[Attribute[Any], object], ...] = (
        (UploadItem.framing, attachment.framing),
        (UploadItem.alt_text, attachment.alt_text),
    )
    for name, value in choices:
        condition &= name.does_not_exist() if value is None else name == value
    return condition


def _set_count(changes: ChangeCount) -> Action:
    return UserItem.changes.set(ChangeCountMap(minute=changes.minute, count=changes.count))


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
        actions.append(_set_count(change.changes))
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
        (UploadItem.state == State.READY)
        & (UploadItem.slot == slot)
        & (UploadItem.expires_at > now)
        & _shown_condition(attachment),
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
