"""The `Checkpoints` port. Needs dynamodb:GetItem to load and PutItem to save, on the uploads table."""

import json
from datetime import UTC, datetime

from profile_media.aws.models import CheckpointItem, use_tables
from profile_media.aws.tables import Save, read, write
from profile_media.domain.ports import Checkpoint

_OWNER = "reconcile"
"""The hash key. If a user has this id, the range keys still tell the items apart."""


class DynamoCheckpoints:
    """Checkpoints, in the uploads table."""

    def __init__(self, uploads_table: str) -> None:
        use_tables(uploads=uploads_table)

    def load(self, name: str) -> Checkpoint | None:
        """Return the last checkpoint of the pass."""
        item = read(CheckpointItem, _OWNER, CheckpointItem.PREFIX + name)
        if item is None:
            return None
        kept = json.loads(item.checkpoint)
        return Checkpoint(
            name,
            _time(kept["began"]),
            kept["step"],
            kept["position"],
            tuple(kept["suspects"]),
            None if kept["suspected_at"] is None else _time(kept["suspected_at"]),
            kept["found"],
            item.version,
        )

    def save(self, checkpoint: Checkpoint, expires_at: datetime) -> bool:
        """Replace the previous version, in one conditional write."""
        kept = {
            "began": _milliseconds(checkpoint.began),
            "step": checkpoint.step,
            "position": checkpoint.position,
            "suspects": checkpoint.suspects,
            "suspected_at": None if checkpoint.suspected_at is None else _milliseconds(checkpoint.suspected_at),
            "found": dict(checkpoint.found),
        }
        item = CheckpointItem(
            _OWNER,
            CheckpointItem.PREFIX + checkpoint.name,
            version=checkpoint.version,
            checkpoint=json.dumps(kept),
            expires_at=expires_at,
        )
        previous = CheckpointItem.version == checkpoint.version - 1
        return write(Save(item, CheckpointItem.version.does_not_exist() | previous))


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
