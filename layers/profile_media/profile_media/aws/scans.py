"""Both tables from end to end: the `Scans` port on DynamoDB. Needs dynamodb:Scan on both."""

import json
from typing import Any

from pynamodb.expressions.condition import Condition

from profile_media.aws.tables import UploadRow, UserRow, available, name_tables, profile_of, upload_of
from profile_media.domain.model import Profile, Upload
from profile_media.domain.ports import ALL_IDS, Ids, Page

ROWS_A_PAGE = 500
"""Of users, and of all uploads: each bound one takes another read."""

_BEFORE_IDS, _AFTER_IDS = "0", "g"
"""Ids are in hexadecimal. The other items' range keys start with later letters."""


class DynamoScans:
    """Both tables."""

    def __init__(self, users_table: str, uploads_table: str) -> None:
        name_tables(users=users_table, uploads=uploads_table)

    def uploads(self, at: str | None, ids: Ids = ALL_IDS) -> Page[Upload]:
        """A page of the uploads with such ids; for a stretch of ids as large as a scan's answer can be."""
        wanted = (UploadRow.upload_id > (ids.after or _BEFORE_IDS)) & (UploadRow.upload_id <= (ids.until or _AFTER_IDS))
        items, position = _scan(UploadRow, at, wanted, ROWS_A_PAGE if ids == ALL_IDS else None)
        return Page([upload_of(UploadRow.from_raw_data(item)) for item in items], position)

    def profiles(self, at: str | None) -> Page[Profile]:
        """A page of the users."""
        rows, position = _scan(UserRow, at, None, ROWS_A_PAGE)
        users = [UserRow.from_raw_data(item) for item in rows]
        return Page([profile_of(user.user_id, user) for user in users], position)


def _scan(
    row: type[UploadRow | UserRow], at: str | None, wanted: Condition | None, limit: int | None
) -> tuple[list[dict[str, Any]], str | None]:
    """One page, and where the next one begins, as text."""
    with available():
        answer = row._get_connection().scan(
            filter_condition=wanted,
            limit=limit,
            exclusive_start_key=json.loads(at) if at else None,
            consistent_read=True,
        )
    last = answer.get("LastEvaluatedKey")
    return answer["Items"], json.dumps(last) if last else None
