"""The `UploadIndex` port: the index `by-upload-id` of the uploads table.

Needs dynamodb:Query on the index and BatchGetItem on the table.
"""

from collections.abc import Sequence
from typing import Any

from profile_media.aws.models import UploadItem, UploadKeyIndex, id_prefix, use_tables
from profile_media.aws.tables import pause, request
from profile_media.domain.errors import Unavailable
from profile_media.domain.model import Upload
from profile_media.domain.ports import Page, UploadKey

KEYS_PER_PAGE = 1000
"""Keys in one page: about 150 KB. An answer of DynamoDB holds up to 1 MB, so it is never cut short."""

PREFIXES = tuple(f"{number:02x}" for number in range(256))
"""The partitions of the index, in order."""

_BATCH_ATTEMPTS = 5


class DynamoUploadIndex:
    """Upload rows in the order of their upload ids."""

    def __init__(self, uploads_table: str) -> None:
        use_tables(uploads=uploads_table)
        self._table = uploads_table

    def keys_after(self, upload_id: str | None) -> Page[UploadKey]:
        """Query the partitions of the index one after another until a page is full."""
        after = upload_id or ""
        keys: list[UploadKey] = []
        for prefix in (each for each in PREFIXES if each >= id_prefix(after)):
            # The start of a key condition is exclusive, and every id of a partition comes after its prefix.
            keys += self._query(prefix, max(after, prefix), KEYS_PER_PAGE - len(keys))
            if len(keys) == KEYS_PER_PAGE:
                return Page(keys, keys[-1].upload_id)
        return Page(keys)

    def get_rows(self, keys: Sequence[UploadKey]) -> Sequence[Upload]:
        """Read rows by their keys, strongly consistent, in one request if DynamoDB is not busy."""
        wanted = [{"owner_id": {"S": key.owner_id}, "upload_id": {"S": key.upload_id}} for key in keys]
        rows: list[Upload] = []
        for number in range(_BATCH_ATTEMPTS):
            if not wanted:
                return rows
            if number:
                pause(number)
            tables = {self._table: {"Keys": wanted, "ConsistentRead": True}}
            answer = request("BatchGetItem", {"RequestItems": tables})
            rows += [UploadItem.from_raw_data(item).upload() for item in answer["Responses"].get(self._table, ())]
            wanted = answer["UnprocessedKeys"].get(self._table, {}).get("Keys", [])
        if wanted:
            raise Unavailable("BatchGetItem left keys unprocessed")
        return rows

    def _query(self, prefix: str, after: str, limit: int) -> list[UploadKey]:
        """Query one partition. PynamoDB's own `query` would open another connection, so the expression is text."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": UploadKeyIndex.Meta.index_name,
            "KeyConditionExpression": "id_prefix = :prefix AND upload_id > :after",
            "ExpressionAttributeValues": {":prefix": {"S": prefix}, ":after": {"S": after}},
            "Limit": limit,
        }
        items = request("Query", arguments)["Items"]
        return [UploadKey(item["owner_id"]["S"], item["upload_id"]["S"]) for item in items]
