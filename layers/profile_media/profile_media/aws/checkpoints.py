"""Where reconciling stands: the `Checkpoints` port on DynamoDB.

Needs dynamodb:GetItem to load and PutItem to save, on the uploads table.
"""

import json
from datetime import datetime

from profile_media.aws.dynamodb import get, item_of, put, write
from profile_media.aws.tables import RECONCILE_PREFIX, milliseconds, seconds, time_of, upload_key
from profile_media.domain.ports import Checkpoint

_NOBODY = "reconcile"
"""The hash key. A user may be called that: range keys tell the items apart, as they do an owner's own."""


class DynamoCheckpoints:
    """Checkpoints, in the uploads table."""

    def __init__(self, uploads_table: str) -> None:
        self._table = uploads_table

    def load(self, name: str) -> Checkpoint | None:
        """The pass's last one."""
        item = get(self._table, upload_key(_NOBODY, RECONCILE_PREFIX + name))
        if item is None:
            return None
        kept = json.loads(item["checkpoint"]["S"])
        return Checkpoint(
            name,
            time_of(kept["began"]),
            kept["step"],
            kept["position"],
            tuple(kept["suspects"]),
            None if kept["suspected_at"] is None else time_of(kept["suspected_at"]),
            kept["found"],
            int(item["version"]["N"]),
        )

    def save(self, checkpoint: Checkpoint, expires_at: datetime) -> bool:
        """One conditional write: the item is its predecessor, or there is none."""
        kept = {
            "began": milliseconds(checkpoint.began),
            "step": checkpoint.step,
            "position": checkpoint.position,
            "suspects": checkpoint.suspects,
            "suspected_at": None if checkpoint.suspected_at is None else milliseconds(checkpoint.suspected_at),
            "found": dict(checkpoint.found),
        }
        attributes = {
            "owner_id": _NOBODY,
            "upload_id": RECONCILE_PREFIX + checkpoint.name,
            "version": checkpoint.version,
            "checkpoint": json.dumps(kept),
            "expires_at": seconds(expires_at),
        }
        follows = "attribute_not_exists(#version) OR #version = :before"
        return write(put(self._table, item_of(attributes), follows, before=checkpoint.version - 1))
