"""The links between slots and pictures: the `Attachments` port, on transactions across both tables.

Needs dynamodb:GetItem and UpdateItem on both tables, and DeleteItem on the uploads table.
"""

from datetime import datetime

from profile_media.aws.dynamodb import Write, delete, get_together, transact, update
from profile_media.aws.tables import (
    WRITES_PREFIX,
    attachment_attribute,
    derivatives_attribute,
    identity_attribute,
    milliseconds,
    profile_of,
    seconds,
    upload_key,
    upload_of,
    user_key,
)
from profile_media.domain.model import Attachment, Derivative, ExternalPicture, Profile, Slot, State, Upload
from profile_media.domain.ports import SlotChange, SlotChangeResult, WriteLimit

_COUNTS_KEPT = 3600
"""Seconds a minute's count is kept: DynamoDB removes it when it likes, and it means nothing after its minute."""


class DynamoAttachments:
    """Slots, and the rows of the uploads bound to them."""

    def __init__(self, users_table: str, uploads_table: str) -> None:
        self._users = users_table
        self._uploads = uploads_table

    def read(self, user_id: str, upload_id: str) -> tuple[Profile, Upload | None]:
        """The profile and the upload as they were at one instant, in one call."""
        user, upload = get_together((self._users, user_key(user_id)), (self._uploads, upload_key(user_id, upload_id)))
        return profile_of(user_id, user), upload_of(upload) if upload else None

    def change_slot(self, change: SlotChange) -> SlotChangeResult:
        """One transaction over the user's row, the new upload's, the old one's, and the caller's count."""
        owner_id = change.profile.user_id
        writes = [self._point(change)]
        if isinstance(change.attachment, Attachment):
            writes.append(self._keep(owner_id, change.slot, change.attachment, change.now))
        if isinstance(change.expected, Attachment):
            writes.append(delete(self._uploads, upload_key(owner_id, change.expected.upload_id)))
        if change.limit:
            writes.append(self._count(change.limit, change.now))
        failed = transact(*writes)
        if not failed:
            return SlotChangeResult.DONE
        *rows_failed, last_failed = failed
        return (
            SlotChangeResult.LIMITED
            if change.limit and last_failed and not any(rows_failed)
            else SlotChangeResult.CHANGED
        )

    def rename(self, bound: Upload, derivatives: tuple[Derivative, ...]) -> bool:
        """One transaction over the upload's row and its owner's."""
        slot = f"#{bound.slot}"
        names = {"old": derivatives_attribute(bound.derivatives), "new": derivatives_attribute(derivatives)}
        shown = update(
            self._users,
            user_key(bound.owner_id),
            f"SET {slot}.#derivatives = :new",
            f"{slot}.#upload_id = :upload_id AND {slot}.#derivatives = :old",
            upload_id=bound.upload_id,
            **names,
        )
        named = update(
            self._uploads,
            upload_key(bound.owner_id, bound.upload_id),
            "SET #derivatives = :new",
            "#state = :bound AND #derivatives = :old",
            bound=State.BOUND,
            **names,
        )
        return not transact(shown, named)

    def _point(self, change: SlotChange) -> Write:
        values: dict[str, object] = {"now": milliseconds(change.now)}
        sets, removed = ["#created_at = if_not_exists(#created_at, :now)", "#updated_at = :now"], ""
        if change.attachment:
            sets.append(f"#{change.slot} = :picture")
            values["picture"] = attachment_attribute(change.attachment)
        else:
            removed = f" REMOVE #{change.slot}"
        if change.identity:
            sets.append("#identity = :identity")
            values["identity"] = identity_attribute(change.identity)
        condition, held = _holds(change.slot, change.expected)
        if change.profile.created_at is None and change.tenant:
            sets.append("#tenant = :tenant")
            values["tenant"] = change.tenant
            condition += " AND attribute_not_exists(#created_at)"
        changes = f"SET {', '.join(sets)}{removed}"
        return update(self._users, user_key(change.profile.user_id), changes, condition, **values, **held)

    def _keep(self, owner_id: str, slot: Slot, attachment: Attachment, now: datetime) -> Write:
        return update(
            self._uploads,
            upload_key(owner_id, attachment.upload_id),
            "SET #state = :bound REMOVE #expires_at",
            "#state = :ready AND #slot = :slot AND #expires_at > :now",
            bound=State.BOUND,
            ready=State.READY,
            slot=slot,
            now=seconds(now),
        )

    def _count(self, limit: WriteLimit, now: datetime) -> Write:
        minute = seconds(now) // 60
        return update(
            self._uploads,
            upload_key(limit.actor_id, f"{WRITES_PREFIX}{minute}"),
            "ADD #changes :one SET #expires_at = :expires_at",
            "attribute_not_exists(#changes) OR #changes < :limit",
            one=1,
            limit=limit.per_minute,
            expires_at=minute * 60 + _COUNTS_KEPT,
        )


def _holds(slot: Slot, held: Attachment | ExternalPicture | None) -> tuple[str, dict[str, str]]:
    """The slot as the change relies on it: a condition, and what it speaks of."""
    match held:
        case Attachment(upload_id=upload_id):
            return f"#{slot}.#upload_id = :held", {"held": upload_id}
        case ExternalPicture(url=url):
            return f"#{slot}.#url = :held", {"held": url}
        case None:
            return f"attribute_not_exists(#{slot})", {}
