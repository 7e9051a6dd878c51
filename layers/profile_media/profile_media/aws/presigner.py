"""The `Presigner` port. No request is sent and no S3 client is made.

The form has the rights of the function's role, s3:PutObject on `incoming/*`, for one key and a few minutes. boto3's
`generate_presigned_post` signs at the present time only; a repeated intent must answer with the same form, byte for
byte, so botocore's public signer is used with the time of the first request.
See https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html.
"""

import json
from base64 import b64encode
from datetime import datetime

from botocore.auth import S3SigV4PostAuth
from botocore.awsrequest import AWSRequest

from profile_media.aws import session
from profile_media.domain.keys import incoming_key
from profile_media.domain.model import PresignedPost, Upload
from profile_media.domain.policy import SMALLEST_UPLOAD


class S3Presigner:
    """Presigned POSTs to the uploads bucket; `url` is the address that browsers POST to."""

    def __init__(self, bucket: str, url: str) -> None:
        self._bucket = bucket
        self._url = url

    def presign(self, upload: Upload, signed_at: datetime, expires_at: datetime) -> PresignedPost:
        """Sign a POST for exactly this key, content type, length and checksum."""
        credentials, region = session.signing()
        signer = S3SigV4PostAuth(credentials, "s3", region)
        request = AWSRequest(method="POST", url=self._url)
        request.context["timestamp"] = signed_at.strftime("%Y%m%dT%H%M%SZ")
        fields = {
            "key": incoming_key(upload.owner_id, upload.upload_id),
            "Content-Type": upload.content_type.value,
            "success_action_status": "201",
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": signer.scope(request),
            "x-amz-date": request.context["timestamp"],
        }
        if upload.checksum_sha256:
            fields["x-amz-checksum-sha256"] = upload.checksum_sha256
        if credentials.token:
            fields["x-amz-security-token"] = credentials.token
        policy = self._policy(fields, upload.content_length, expires_at)
        return PresignedPost(
            self._url,
            {**fields, "policy": policy, "x-amz-signature": signer.signature(policy, request)},
            expires_at,
        )

    def _policy(self, fields: dict[str, str], length: int, expires_at: datetime) -> str:
        """Make the policy from the fields, so that every field has a condition with exactly its value."""
        conditions: list[object] = [{"bucket": self._bucket}, *({name: value} for name, value in fields.items())]
        conditions.append(["content-length-range", SMALLEST_UPLOAD, length])
        document = {"expiration": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"), "conditions": conditions}
        return b64encode(json.dumps(document).encode()).decode()
