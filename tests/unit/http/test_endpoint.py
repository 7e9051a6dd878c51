"""The decorator of API functions: errors, callers and logs."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from profile_media.dialects import avatar_url, form_file, native, public_id, sdk_image, upload_id
from profile_media.domain import errors
from profile_media.domain.errors import ErrorCode, MediaError
from profile_media.domain.model import Reason, Slot
from profile_media.http.endpoint import Dialect, EndpointConfig, endpoint
from profile_media.http.request import Request, Response
from profile_media.http.status import STATUSES
from tests.conftest import Logs
from tests.functions.conftest import Context, an_event
from tests.requests import LINKS

DIALECTS: dict[str, Dialect] = {
    "native": native,
    "public_id": public_id,
    "form_file": form_file,
    "avatar_url": avatar_url,
    "upload_id": upload_id,
    "sdk_image": sdk_image,
}

ERRORS: dict[ErrorCode, MediaError] = {
    ErrorCode.REQUEST_INVALID: errors.RequestInvalid(("slot: missing",)),
    ErrorCode.REFERENCE_INVALID: errors.ReferenceInvalid("not a public id"),
    ErrorCode.UPLOAD_NOT_FOUND: errors.UploadNotFound("another owner's"),
    ErrorCode.UPLOAD_NOT_READY: errors.UploadNotReady("id"),
    ErrorCode.UPLOAD_REJECTED: errors.UploadRejected(Reason.CORRUPT),
    ErrorCode.UPLOAD_BOUND: errors.UploadBound("id"),
    ErrorCode.CROP_UNAVAILABLE: errors.CropUnavailable("id"),
    ErrorCode.SLOT_MISMATCH: errors.SlotMismatch(Slot.AVATAR),
    ErrorCode.SLOT_NOT_FOUND: errors.SlotNotFound(),
    ErrorCode.TYPE_UNSUPPORTED: errors.TypeUnsupported("image/tiff"),
    ErrorCode.UPLOAD_TOO_LARGE: errors.UploadTooLarge(1000),
    ErrorCode.IMAGE_UNACCEPTABLE: errors.ImageUnacceptable(Reason.TOO_SMALL),
    ErrorCode.IDEMPOTENCY_CONFLICT: errors.IdempotencyConflict(),
    ErrorCode.LIMIT_EXCEEDED: errors.LimitExceeded(errors.Limit.OPEN_INTENTS, 60),
    ErrorCode.ATTACHMENT_CHANGED: errors.AttachmentChanged(Slot.AVATAR),
    ErrorCode.OWNER_FORBIDDEN: errors.OwnerForbidden(),
    ErrorCode.USER_NOT_FOUND: errors.UserNotFound("another tenant's"),
    ErrorCode.PAYLOAD_TOO_LARGE: errors.PayloadTooLarge(4_194_304),
    ErrorCode.UNAVAILABLE: errors.Unavailable("ThrottlingException"),
}


def answer(respond: Callable[[Request], Response], dialect: Dialect = native, **changes: Any) -> dict[str, Any]:
    event = {**an_event("get_profile"), **changes}
    return endpoint(dialect, lambda: EndpointConfig(("https://app.example.com",), LINKS))(respond)(event, Context("it"))


def refuses(body: dict[str, Any]) -> bool:
    """Return whether clients of the contracts recognise an error."""
    return body.get("success") is False or bool(body.get("errors") or body.get("detail"))


def raising(error: BaseException) -> Callable[[Request], Response]:
    def respond(_: Request) -> Response:
        raise error

    return respond


def test_every_error_has_status_and_sample() -> None:
    assert set(STATUSES) == set(ERRORS) == set(ErrorCode)
    assert {code: error.code for code, error in ERRORS.items()} == {code: code for code in ErrorCode}


@pytest.mark.parametrize("code", ErrorCode)
@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_renders_error_without_internal_details(name: str, code: ErrorCode) -> None:
    dialect = DIALECTS[name]
    given = answer(raising(ERRORS[code]), dialect)
    assert given["statusCode"] == dialect.STATUSES.get(code, STATUSES[code])
    body = json.loads(given["body"])
    assert refuses(body)
    assert given["headers"]["Content-Type"] == "application/json"
    if given["statusCode"] in {429, 503}:
        assert int(given["headers"]["Retry-After"]) >= 1
    for internal in ("another owner's", "another tenant's", "ThrottlingException", "not a public id"):
        assert internal not in given["body"]


@pytest.mark.parametrize("name", DIALECTS)
def test_unexpected_error_is_500_without_details_and_logged_with_them(name: str, logs: Logs) -> None:
    given = answer(raising(RuntimeError("arn:aws:secret")), DIALECTS[name])
    assert given["statusCode"] == 500
    assert "secret" not in given["body"]
    assert refuses(json.loads(given["body"]))
    [record] = [record for record in logs() if record["level"] == "ERROR"]
    assert "arn:aws:secret" in record["exception"]
    assert record["correlation_id"] == given["headers"]["x-correlation-id"]


@pytest.mark.parametrize(
    "authorizer",
    [
        None,
        {},
        {"sub": "ada"},
        {"exp": "4102444800"},
        {"sub": "ada", "exp": "1"},
        {"sub": "ada", "exp": "-4102444800"},
        {"sub": "ada", "exp": "4102444800.5"},
        {"sub": "", "exp": "4102444800"},
    ],
)
def test_request_without_valid_caller_is_401(authorizer: dict[str, str] | None) -> None:
    reached: list[Request] = []
    context = {**an_event("get_profile")["requestContext"], "authorizer": authorizer}
    given = answer(lambda request: reached.append(request) or Response(HTTPStatus.OK, {}), requestContext=context)  # type: ignore[func-returns-value]
    assert given["statusCode"] == 401
    assert json.loads(given["body"])["message"] == "Invalid or expired token"
    assert reached == []


@pytest.mark.parametrize(("claim", "is_admin"), [("true", True), ("false", False), ("True", False), ("", False)])
def test_caller_is_admin_only_by_authorizer_context(claim: str, *, is_admin: bool) -> None:
    seen: list[Request] = []
    context = an_event("get_profile")["requestContext"]
    context["authorizer"]["admin"] = claim
    answer(lambda request: seen.append(request) or Response(HTTPStatus.OK, {}), requestContext=context)  # type: ignore[func-returns-value]
    assert seen[0].caller.is_admin is is_admin


HOSTILE = '"}\r\n{"level":"INFO","message":"forged"}\u2028\x1b[31m' + "x" * 5000


def test_client_input_cannot_forge_log_record(logs: Logs, capsys: pytest.CaptureFixture[str]) -> None:
    context = an_event("get_profile")["requestContext"]
    context["authorizer"]["sub"] = HOSTILE
    answer(raising(errors.UploadNotFound(HOSTILE)), requestContext=context)
    answer(raising(ValueError(HOSTILE)), requestContext=context)
    records = logs()
    assert len(records) == 2
    assert not [record for record in records if record["message"] == "forged"]
    assert all(len(record["actor"]) <= 1024 for record in records)
    json.loads(capsys.readouterr().out)
