"""Presigned GETs of derivatives, made without a request to S3.

A link has the rights of the function's role, s3:GetObject on `media/*`, for one key and a quarter of an hour.
"""

from profile_media.aws.session import s3
from profile_media.domain.keys import media_key
from profile_media.domain.model import Derivative

LIFETIME = 900
"""Seconds: the longest that AWS advises for a link that needs no other permission."""


class S3ThumbnailLinks:
    """Links to derivatives in the media bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def link(self, upload_id: str, derivative: Derivative) -> str:
        """Return a URL that shows one derivative until it expires; the response may not be cached."""
        query = {"Bucket": self._bucket, "Key": media_key(upload_id, derivative), "ResponseCacheControl": "no-store"}
        return s3().generate_presigned_url("get_object", Params=query, ExpiresIn=LIFETIME)
