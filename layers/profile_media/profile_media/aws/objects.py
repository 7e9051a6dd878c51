"""The two buckets: the `Incoming`, `Media` and `Listings` ports on S3.

Incoming needs s3:GetObject and s3:DeleteObject on `incoming/*` of the uploads bucket, and s3:ListBucket so that a
missing object is told from a forbidden one. Media needs s3:GetObject to fetch, s3:PutObject to store, s3:DeleteObject
to take back and purge, and s3:ListBucket under `media/` to purge, on the media bucket. Listings need s3:ListBucket
under `incoming/` and `media/`.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from botocore.exceptions import ClientError

from profile_media.aws.session import available, s3
from profile_media.domain.keys import INCOMING_PREFIX, MEDIA_PREFIX, incoming_key, media_key, media_prefix
from profile_media.domain.model import Derivative
from profile_media.domain.ports import Page, StoredObject

IMMUTABLE = "public, max-age=31536000, immutable"
"""Keys name their bytes, so caches may keep them for good."""

STORES = 5
"""Puts under way at once, as many as an avatar has files; each is latency, not work."""


class S3Incoming:
    """Originals, in the uploads bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def fetch(self, owner_id: str, upload_id: str, limit: int) -> bytes | None:
        """The object as it is now, at most `limit` + 1 bytes of it."""
        return _fetch(self._bucket, incoming_key(owner_id, upload_id), limit + 1)

    def discard(self, owner_id: str, upload_id: str) -> None:
        """Deletes the object."""
        with available():
            s3().delete_object(Bucket=self._bucket, Key=incoming_key(owner_id, upload_id))


class S3Media:
    """Derivatives, in the media bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def fetch(self, upload_id: str, derivative: Derivative) -> bytes | None:
        """The derivative's bytes."""
        return _fetch(self._bucket, media_key(upload_id, derivative))

    def store(self, upload_id: str, contents: Sequence[tuple[Derivative, bytes]]) -> None:
        """Stores all of them at once; the threads are gone when it returns, because decoding forks."""
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
            )

        with available(), ThreadPoolExecutor(STORES) as pool:
            list(pool.map(put, contents))

    def discard(self, upload_id: str, derivatives: Iterable[Derivative]) -> None:
        """Deletes these."""
        self._delete([media_key(upload_id, derivative) for derivative in derivatives])

    def purge(self, upload_id: str) -> int:
        """Deletes everything under the upload's prefix; returns how many objects."""
        pages = s3().get_paginator("list_objects_v2")
        deleted = 0
        with available():
            for page in pages.paginate(Bucket=self._bucket, Prefix=media_prefix(upload_id)):
                keys = [entry["Key"] for entry in page.get("Contents", ())]
                self._delete(keys)
                deleted += len(keys)
        return deleted

    def _delete(self, keys: Sequence[str]) -> None:
        if not keys:
            return
        with available():
            answer = s3().delete_objects(
                Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        if errors := answer.get("Errors"):
            raise DeleteFailed(errors[0].get("Code", ""))


class S3ObjectListings:
    """Both buckets, as listings have them."""

    def __init__(self, uploads_bucket: str, media_bucket: str) -> None:
        self._uploads_bucket = uploads_bucket
        self._media_bucket = media_bucket

    def incoming(self, after: str | None) -> Page[StoredObject]:
        """A thousand originals."""
        return _list(self._uploads_bucket, INCOMING_PREFIX, after)

    def media(self, after: str | None) -> Page[StoredObject]:
        """A thousand derivatives."""
        return _list(self._media_bucket, MEDIA_PREFIX, after)

    def derivatives(self, upload_id: str) -> frozenset[str]:
        """The keys of one upload's."""
        keys: set[str] = set()
        after: str | None = None
        while True:
            page = _list(self._media_bucket, media_prefix(upload_id), after)
            keys.update(stored.key for stored in page.items)
            if page.next is None:
                return frozenset(keys)
            after = page.next


def _fetch(bucket: str, key: str, most: int | None = None) -> bytes | None:
    """An object's first bytes, or all of them; None where there is no object."""
    with available():
        try:
            answer = s3().get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None
            raise
        with closing(answer["Body"]) as body:  # entered itself, it would hand out what lies below botocore's errors
            content: bytes = body.read(most)
    return content


def _list(bucket: str, prefix: str, after: str | None) -> Page[StoredObject]:
    with available():
        answer = s3().list_objects_v2(Bucket=bucket, Prefix=prefix, StartAfter=after or "")
    items = [StoredObject(entry["Key"], entry["LastModified"]) for entry in answer.get("Contents", ())]
    return Page(items, items[-1].key if items and answer["IsTruncated"] else None)


class DeleteFailed(Exception):
    """S3 took a batch of deletes and refused some of them; the whole is to be tried again."""
