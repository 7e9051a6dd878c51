"""One botocore session for every client of a function, and one meaning for the ways AWS fails.

boto3 is left out: it adds import time and no call that we make. One session serves all clients, because each session
reads its own copy of what describes the services.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, UnknownServiceError
from botocore.loaders import Loader

from profile_media.domain.errors import Unavailable

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

CONNECT_TIMEOUT = 2
READ_TIMEOUT = 5
"""Seconds. AWS answers these calls in milliseconds; a connection that does not is better replaced."""

ATTEMPTS = 3
"""Of one call, by botocore, with its backoff; every call the service makes is safe to repeat."""

_VARIANTS = ("use_fips_endpoint", "use_dualstack_endpoint")
"""Of endpoints: some regions' are named by the rules alone."""

_PASSING = frozenset(
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
        # Where what stands before a service answers for it, botocore takes the status for the code.
        *("500", "502", "503", "504"),
    }
)
"""Error codes that go away by themselves."""


class _Descriptions(Loader):
    """What describes the services, made to cost less with every call of DynamoDB (docs/decisions/0022).

    `descriptions/` adds that items are documents, which go out and come in as they are. And where a service has no
    rules for endpoints, its endpoint is found once, for the client.
    """

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """A description, if there is one."""
        if (service_name, type_name) == ("dynamodb", "endpoint-rule-set-1"):
            raise UnknownServiceError(service_name=service_name, known_service_names="")
        return super().load_service_model(service_name, type_name, api_version)


@cache
def session() -> botocore.session.Session:
    """The session, with credentials from the function's role."""
    made = botocore.session.get_session()
    if not any(made.get_config_variable(name) for name in _VARIANTS):
        folder = Path(__file__).parent / "descriptions"
        made.register_component("data_loader", _Descriptions(extra_search_paths=[str(folder)]))
    return made


def signing() -> "tuple[ReadOnlyCredentials, str]":
    """The role's credentials as they are now, and the region: what a signature is made of."""
    credentials = session().get_credentials()
    if credentials is None:
        raise NoCredentialsError
    return credentials.get_frozen_credentials(), session().get_config_variable("region")


@cache
def dynamodb() -> Any:
    """The DynamoDB client, made once; contract tests hold its calls to DynamoDB's description, so that it need not."""
    return session().create_client("dynamodb", config=_config(parameter_validation=False))


@cache
def s3() -> "S3Client":
    """The S3 client, made once: loading a service's description is what costs."""
    return cast("S3Client", session().create_client("s3", config=_config(signature_version="s3v4")))


@cache
def sqs() -> "SQSClient":
    """The SQS client, made once."""
    return cast("SQSClient", session().create_client("sqs", config=_config()))


def _config(**more: Any) -> Config:
    return Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        # Checksums of our own would be computed on every put; S3 keeps CRCs by itself.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # The same text every time: what botocore says by itself, it gathers anew for every call, twice.
        user_agent=session().user_agent(),
        **more,
    )


def is_passing(code: str | None) -> bool:
    """Whether an error code says: later."""
    return code in _PASSING


@contextmanager
def available() -> Iterator[None]:
    """Turns what goes away by itself into Unavailable; anything else is a bug or a missing right, and stays that."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code")
        if is_passing(code):
            raise Unavailable(str(code)) from error
        raise
    except BotoCoreError as error:
        raise Unavailable(type(error).__name__) from error
