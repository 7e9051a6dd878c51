"""Presigned GETs of derivatives, signed on the spot without a call.

The bearer borrows the function's s3:GetObject on `media/*`, for one key and a quarter of an hour.
"""

from profile_media.aws.session import s3
from profile_media.domain.keys import media_key
from profile_media.domain.model import Derivative

LIFETIME = 900
"""Seconds: the longest that AWS advises for a link that is its own permission."""


class S3ThumbnailLinks:
    """Derivatives in the media bucket, shown to whoever holds the link."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def link(self, upload_id: str, derivative: Derivative) -> str:
        """A URL that opens one derivative for a while, and that nobody's cache keeps."""
        query = {"Bucket": self._bucket, "Key": media_key(upload_id, derivative), "ResponseCacheControl": "no-store"}
        return s3().generate_presigned_url("get_object", Params=query, ExpiresIn=LIFETIME)
