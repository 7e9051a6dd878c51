"""Both tables from end to end: the `Scans` port on DynamoDB. Needs dynamodb:Scan on both."""

import json
from typing import Any

from profile_media.aws import session
from profile_media.aws.dynamodb import Item
from profile_media.aws.tables import profile_of, upload_of
from profile_media.domain.model import Profile, Upload
from profile_media.domain.ports import ALL_UPLOAD_IDS, Page, UploadIdRange

ROWS_A_PAGE = 500
"""Of users, and of all uploads: each bound one takes another read."""

_BEFORE_IDS, _AFTER_IDS = "0", "g"
"""Ids are in hexadecimal. The other items' range keys start with later letters."""


class DynamoTableScans:
    """Both tables."""

    def __init__(self, users_table: str, uploads_table: str) -> None:
        self._users = users_table
        self._uploads = uploads_table

    def uploads(self, at: str | None, ids: UploadIdRange = ALL_UPLOAD_IDS) -> Page[Upload]:
        """A page of the uploads with such ids; for a stretch of ids as large as a scan's answer can be."""
        wanted = {
            "FilterExpression": "upload_id > :after AND upload_id <= :until",
            "ExpressionAttributeValues": {
                ":after": {"S": ids.after or _BEFORE_IDS},
                ":until": {"S": ids.until or _AFTER_IDS},
            },
        }
        limit = {"Limit": ROWS_A_PAGE} if ids == ALL_UPLOAD_IDS else {}
        items, position = _scan(at, TableName=self._uploads, **wanted, **limit)
        return Page([upload_of(item) for item in items], position)

    def profiles(self, at: str | None) -> Page[Profile]:
        """A page of the users."""
        items, position = _scan(at, TableName=self._users, Limit=ROWS_A_PAGE)
        return Page([profile_of(item["user_id"]["S"], item) for item in items], position)


def _scan(at: str | None, **query: Any) -> tuple[list[Item], str | None]:
    """One page, and where the next one begins, as text."""
    if at:
        query["ExclusiveStartKey"] = json.loads(at)
    with session.available():
        answer = session.dynamodb().scan(**query, ConsistentRead=True)
    last = answer.get("LastEvaluatedKey")
    return answer["Items"], json.dumps(last) if last else None
