"""The session of all AWS clients, the boto3 clients for S3 and SQS, and the errors of AWS that are transient.

boto3 is imported by the functions that make one of its clients: 80 million instructions that no other function pays.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from profile_media.domain.errors import Unavailable

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import ReadOnlyCredentials
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

CONNECT_TIMEOUT = 2
READ_TIMEOUT = 5
"""Seconds. AWS answers these requests in milliseconds; a connection that takes longer is better replaced."""

ATTEMPTS = 3
RETRIES: Any = {"mode": "standard", "total_max_attempts": ATTEMPTS}
"""Attempts of one request, by botocore with its backoff; every request of this service is safe to repeat."""

_TRANSIENT = frozenset(
    {
        "InternalServerError",
        "InternalError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottlingException",
        "Throttling",
        "TransactionConflictException",
        "TransactionInProgressException",
        # botocore uses the status as the code if a load balancer answers instead of the service.
        *("500", "502", "503", "504"),
    }
)
"""Codes of transient errors."""


_sessions: list[botocore.session.Session] = []


def session() -> botocore.session.Session:
    """Return the session of all clients: one copy of the service descriptions and of the role's credentials."""
    return _sessions[-1] if _sessions else adopt(botocore.session.get_session())


def adopt(made: botocore.session.Session) -> botocore.session.Session:
    """Use PynamoDB's own session for all clients: a second session would cost 66 million instructions."""
    made.set_default_client_config(
        Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries=RETRIES,
            # S3 computes checksums by itself; computing another for every put costs CPU time.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            # A fixed text: otherwise botocore composes it twice for every request, a tenth of the request's CPU time.
            user_agent=made.user_agent(),
        )
    )
    _sessions.append(made)
    return made


def signing() -> "tuple[ReadOnlyCredentials, str]":
    """Return the role's present credentials and the region, which a signature is made with."""
    credentials = session().get_credentials()
    if credentials is None:
        raise NoCredentialsError
    return credentials.get_frozen_credentials(), session().get_config_variable("region")


@cache
def s3() -> "S3Client":
    """Return the S3 client, made at its first use."""
    return _boto3().client("s3", config=Config(signature_version="s3v4"))


@cache
def sqs() -> "SQSClient":
    """Return the SQS client, made at its first use."""
    return _boto3().client("sqs")


@cache
def _boto3() -> "boto3.Session":
    import boto3  # noqa: PLC0415

    return boto3.Session(botocore_session=session())


def is_transient(code: str | None) -> bool:
    """Return whether an error code is transient."""
    return code in _TRANSIENT


@contextmanager
def available() -> Iterator[None]:
    """Raise Unavailable for transient errors. Any other error is a bug or a missing right, and is not changed."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if is_transient(code):
            raise Unavailable(str(code)) from error
        raise
    except BotoCoreError as error:
        raise Unavailable(type(error).__name__) from error
