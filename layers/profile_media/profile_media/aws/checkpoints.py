"""Where reconciling stands: the `Checkpoints` port on DynamoDB.

Needs dynamodb:GetItem to load and PutItem to save, on the uploads table.
"""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist, PutError

from profile_media.aws.tables import (
    RECONCILE_PREFIX,
    CheckpointRow,
    available,
    milliseconds,
    name_tables,
    seconds,
    time_of,
)
from profile_media.domain.ports import Checkpoint

_NOBODY = "reconcile"
"""The hash key. A user may be called that: range keys tell the items apart, as they do an owner's own."""


class DynamoCheckpoints:
    """Checkpoints, in the uploads table."""

    def __init__(self, uploads_table: str) -> None:
        name_tables(uploads=uploads_table)

    def load(self, name: str) -> Checkpoint | None:
        """The pass's last one."""
        with available():
            try:
                row = CheckpointRow.get(_NOBODY, RECONCILE_PREFIX + name, consistent_read=True)
            except DoesNotExist:
                return None
        kept = row.checkpoint
        return Checkpoint(
            name,
            time_of(kept["began"]),
            kept["step"],
            kept["position"],
            tuple(kept["suspects"]),
            None if kept["suspected_at"] is None else time_of(kept["suspected_at"]),
            kept["found"],
            int(row.version),
        )

    def save(self, checkpoint: Checkpoint, expires_at: datetime) -> bool:
        """One conditional write: the item is its predecessor, or there is none."""
        row = CheckpointRow(
            _NOBODY,
            RECONCILE_PREFIX + checkpoint.name,
            version=checkpoint.version,
            checkpoint={
                "began": milliseconds(checkpoint.began),
                "step": checkpoint.step,
                "position": checkpoint.position,
                "suspects": checkpoint.suspects,
                "suspected_at": None if checkpoint.suspected_at is None else milliseconds(checkpoint.suspected_at),
                "found": dict(checkpoint.found),
            },
            expires_at=seconds(expires_at),
        )
        follows = CheckpointRow.version.does_not_exist() | (CheckpointRow.version == checkpoint.version - 1)
        with available():
            try:
                row.save(condition=follows)
            except PutError as error:
                if error.cause_response_code != "ConditionalCheckFailedException":
                    raise
                return False
        return True
