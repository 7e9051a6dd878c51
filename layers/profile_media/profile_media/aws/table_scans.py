"""The `TableScans` port: strongly consistent scans. Needs dynamodb:Scan on both tables."""

import json
from typing import Any

from profile_media.aws.models import UserItem, use_tables
from profile_media.aws.tables import request
from profile_media.domain.keys import is_upload_id
from profile_media.domain.model import Profile
from profile_media.domain.ports import Page

PROFILES_PER_PAGE = 500
"""Users in one page: the upload of every slot is read as well."""


class DynamoTableScans:
    """Both tables."""

    def __init__(self, users_table: str, uploads_table: str) -> None:
        use_tables(users=users_table, uploads=uploads_table)
        self._users = users_table
        self._uploads = uploads_table

    def upload_ids(self, position: str | None) -> Page[str]:
        """Return the upload ids of one answer; the other items of the table are left out."""
        items, position = _scan(position, {"TableName": self._uploads, "ProjectionExpression": "upload_id"})
        return Page([name for item in items if is_upload_id(name := item["upload_id"]["S"])], position)

    def profiles(self, position: str | None) -> Page[Profile]:
        """Return a page of users."""
        items, position = _scan(position, {"TableName": self._users, "Limit": PROFILES_PER_PAGE})
        return Page([UserItem.from_raw_data(item).profile() for item in items], position)


def _scan(position: str | None, arguments: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
    """Return one page, and the position of the next as text."""
    start = {"ExclusiveStartKey": json.loads(position)} if position else {}
    answer = request("Scan", {**arguments, **start, "ConsistentRead": True})
    last = answer.get("LastEvaluatedKey")
    return answer["Items"], json.dumps(last) if last else None
