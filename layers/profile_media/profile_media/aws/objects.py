"""The `Incoming`, `Media` and `ObjectListings` ports: the two buckets.

Incoming needs s3:GetObject and s3:DeleteObject on `incoming/*` of the uploads bucket, and s3:ListBucket, without which
S3 answers 403 for a missing object. Media needs, on the media bucket, s3:GetObject to fetch, s3:PutObject to store,
s3:DeleteObject to delete, each on `media/*` and `masters/*`, and s3:ListBucket under both to delete by prefix.
ObjectListings need s3:ListBucket under `incoming/`, `media/` and `masters/`.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import batched
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from profile_media.aws.session import available, s3
from profile_media.domain.keys import (
    DERIVATIVE_PREFIXES,
    INCOMING_PREFIX,
    incoming_key,
    media_key,
    media_prefixes,
    position,
    possible_keys,
)
from profile_media.domain.model import MASTER, Derivative
from profile_media.domain.ports import Page, StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import StorageClassType

IMMUTABLE = "public, max-age=31536000, immutable"
"""Keys contain the digest of the bytes, so caches may keep an object for a year, the longest there is."""

SMALLEST_INFREQUENT = 128 * 1024
"""Bytes. The class for infrequent access costs half as much per month, and bills smaller objects as this many."""

PARALLEL_PUTS = 5
"""An avatar has five files. Each put waits for S3 and takes little CPU time, so all run at once."""

DELETE_BATCH = 1000
"""Keys in one DeleteObjects request, as S3 allows."""


class S3Incoming:
    """Originals, in the uploads bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def fetch(self, owner_id: str, upload_id: str, limit: int) -> bytes | None:
        """Return at most `limit` + 1 bytes of the original."""
        return _fetch(self._bucket, incoming_key(owner_id, upload_id), limit + 1)

    def delete(self, owner_id: str, upload_id: str) -> None:
        """Delete the original."""
        with available():
            s3().delete_object(Bucket=self._bucket, Key=incoming_key(owner_id, upload_id))


class S3Media:
    """Derivatives, in the media bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def fetch(self, upload_id: str, derivative: Derivative) -> bytes | None:
        """Return the derivative's bytes."""
        found = (_fetch(self._bucket, key) for key in possible_keys(upload_id, derivative))
        return next((content for content in found if content is not None), None)

    def store(self, upload_id: str, contents: Sequence[tuple[Derivative, bytes]]) -> None:
        """Store derivatives in parallel. The threads end before the return, because decoding forks the process."""
        if not contents:
            return
        client = s3()

        def put(item: tuple[Derivative, bytes]) -> None:
            derivative, content = item
            key = media_key(upload_id, derivative)
            client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType=derivative.content_type.value,
                CacheControl=IMMUTABLE,
                ContentDisposition=f'inline; filename="{key.rpartition("/")[2]}"',
                StorageClass=_storage_class(derivative),
            )

        with available(), ThreadPoolExecutor(PARALLEL_PUTS) as pool:
            list(pool.map(put, contents))

    def delete(self, keys: Iterable[str]) -> None:
        """Delete these objects, as far as they exist."""
        for batch in batched(keys, DELETE_BATCH, strict=False):
            with available():
                answer = s3().delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
                )
            if errors := answer.get("Errors"):
                raise DeleteFailed(errors[0].get("Code", ""))

    def delete_prefix(self, upload_id: str) -> int:
        """List and delete all derivatives of an upload, under both prefixes. Return their number."""
        keys = _keys(self._bucket, media_prefixes(upload_id))
        self.delete(keys)
        return len(keys)


class S3ObjectListings:
    """Listings of both buckets."""

    def __init__(self, uploads_bucket: str, media_bucket: str) -> None:
        self._uploads_bucket = uploads_bucket
        self._media_bucket = media_bucket

    def incoming(self, after: str | None) -> Page[StoredObject]:
        """List up to a thousand originals."""
        return _list(self._uploads_bucket, INCOMING_PREFIX, after)

    def media(self, after: str | None) -> Page[StoredObject]:
        """List up to a thousand derivatives of each prefix, as far as both listings reach."""
        pages = [_list(self._media_bucket, prefix, after and prefix + after) for prefix in DERIVATIVE_PREFIXES]
        end = min((position(page.next) for page in pages if page.next), default=None)
        listed = [item for page in pages for item in page.items if end is None or position(item.key) <= end]
        return Page(sorted(listed, key=lambda item: position(item.key)), end)

    def derivatives(self, upload_id: str) -> frozenset[str]:
        """Return the keys of one upload's derivatives."""
        return frozenset(_keys(self._media_bucket, media_prefixes(upload_id)))


def _storage_class(derivative: Derivative) -> "StorageClassType":
    """Return where a derivative is kept. A master is fetched only to make new sizes or lost ones."""
    infrequent = derivative.name == MASTER and derivative.size >= SMALLEST_INFREQUENT
    return "STANDARD_IA" if infrequent else "STANDARD"


def _fetch(bucket: str, key: str, most: int | None = None) -> bytes | None:
    """Return an object's first bytes, or all of them; None if there is no object."""
    with available():
        try:
            answer = s3().get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        # As a context manager the body is urllib3's response, whose errors are not botocore's.
        with closing(answer["Body"]) as body:
            content: bytes = body.read(most)
    return content


def _keys(bucket: str, prefixes: Iterable[str]) -> list[str]:
    """List all keys with one of the prefixes."""
    keys: list[str] = []
    for prefix in prefixes:
        after: str | None = None
        while True:
            page = _list(bucket, prefix, after)
            keys += [stored.key for stored in page.items]
            if (after := page.next) is None:
                break
    return keys


def _list(bucket: str, prefix: str, after: str | None) -> Page[StoredObject]:
    with available():
        answer = s3().list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=after or "")
    items = [StoredObject(entry["Key"], entry["LastModified"]) for entry in answer.get("Contents", ())]
    return Page(items, items[-1].key if items and answer["IsTruncated"] else None)


class DeleteFailed(Exception):
    """S3 refused some of a batch of deletes; the batch is to be repeated."""
