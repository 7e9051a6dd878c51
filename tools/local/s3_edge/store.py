"""The buckets behind the edge: puts and gets, with the store's own refusals turned into answers."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from tools.local.s3_edge.form import Received
from tools.local.s3_edge.refusal import Refusal, bad_argument, denied, refused, unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef


def put(s3: "S3Client", bucket: str, received: Received) -> str:
    """Stores the file and returns its ETag; raises Refusal where the store will not have it, or is not there."""
    properties = received.permission.properties
    parameters: dict[str, Any] = {"Bucket": bucket, "Key": properties.key, **properties.stored}
    try:
        return s3.put_object(Body=received.content, **parameters)["ETag"]
    except (ParamValidationError, ValueError) as error:
        raise bad_argument("No object can be stored under this key.", "key", properties.key) from error
    except ClientError as error:
        raise _told(error) from error
    except BotoCoreError as error:
        raise unavailable() from error


def get(s3: "S3Client", bucket: str, key: str) -> "GetObjectOutputTypeDef":
    """The object; raises Refusal: one that is not there is denied, as to anybody who may not list the bucket."""
    try:
        return s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        refusal = _told(error)
        raise refusal if refusal.status.is_server_error else denied() from error
    except BotoCoreError as error:
        raise unavailable() from error


def _told(error: ClientError) -> Refusal:
    """What the store said, unless the store itself is what failed."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    if status >= 500:
        return unavailable()
    told = error.response["Error"]
    return refused(status, told.get("Code", "InvalidRequest"), told.get("Message", ""))
