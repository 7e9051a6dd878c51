"""The links between slots and uploads: the `Attachments` port, on transactions across both tables.

Needs dynamodb:GetItem and UpdateItem on both tables, and DeleteItem on the uploads table.
"""

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.models import _ModelFuture
from pynamodb.transactions import TransactGet, TransactWrite

from profile_media.aws.tables import (
    AttachmentMap,
    UploadRow,
    UserRow,
    connection,
    derivative_maps,
    milliseconds,
    name_tables,
    profile_of,
    seconds,
    transact,
    unhindered,
    upload_of,
)
from profile_media.domain.model import Profile, State, Upload
from profile_media.domain.ports import Swap


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

    def swap(self, change: Swap) -> bool:
        """One transaction; False where a condition failed, and then nothing was written."""

        def fill(transaction: TransactWrite) -> None:
            slot = getattr(UserRow, change.slot.value)
            attachment = AttachmentMap(  # type: ignore[no-untyped-call]
                upload_id=change.attachment.upload_id, derivatives=derivative_maps(change.attachment.derivatives)
            )
            transaction.update(
                UserRow(change.user_id),
                actions=[slot.set(attachment), UserRow.updated_at.set(milliseconds(change.now))],
                condition=_bound_to(slot, change.superseded),
            )
            transaction.update(
                UploadRow(change.user_id, change.attachment.upload_id),
                actions=[UploadRow.state.set(State.BOUND.value), UploadRow.expires_at.remove()],
                condition=(UploadRow.state == State.READY.value)
                & (UploadRow.slot == change.slot.value)
                & (UploadRow.expires_at > seconds(change.now)),
            )
            if change.superseded:
                transaction.delete(UploadRow(change.user_id, change.superseded))

        return not transact(fill)


def _bound_to(slot: AttachmentMap, upload_id: str | None) -> Condition:
    """The slot as the change relies on it."""
    condition: Condition = slot.upload_id == upload_id if upload_id else slot.does_not_exist()  # type: ignore[assignment]
    return condition
