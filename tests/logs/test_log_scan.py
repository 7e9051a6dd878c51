"""Check that the scan of logs finds secrets and lines that are not one JSON object."""

import base64
import json

import pytest

from tests import cloud, pictures
from tests.log_scan import issued_signatures, problems
from tests.tokens import a_token

POLICY = base64.b64encode(b'{"expiration": "2026-11-20T12:05:00Z", "conditions": []}').decode()
SIGNATURE = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"


def a_line(value: str) -> str:
    return json.dumps({"level": "INFO", "message": "upload intended", "detail": value})


@pytest.mark.parametrize(
    "secret",
    [
        a_token(),
        "Bearer abcdefghijkl",
        POLICY,
        "https://media.example.com/a.webp?X-Amz-Algorithm=AWS4&X-Amz-Signature=0",
        '{"x-amz-credential": "x"}',
        "x-amz-security-token",
        *(cloud.ENVIRONMENT[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")),
        "-----BEGIN PRIVATE KEY-----",
        "ada@example.com",
        "Ada Lovelace",
        repr(pictures.exif(place=True).get_ifd(0x8825)),
        "private remark",
        repr(pictures.a_png(8, 8)[:40]),
        base64.b64encode(pictures.a_jpeg(8, 8)).decode()[:40],
        base64.b64encode(bytes(range(256))).decode(),
        SIGNATURE,
    ],
    ids=lambda secret: secret[:24],
)
def test_scan_finds_secret_in_line_and_in_text(secret: str) -> None:
    signatures = issued_signatures({"body": json.dumps({"url": f"https://x/?X-Amz-Signature={SIGNATURE}"})})

    assert problems([a_line(secret)], [], signatures)
    assert problems([], [f"ValueError: {secret}"], signatures)


@pytest.mark.parametrize(
    "usual",
    [
        a_line("auth0|ada"),
        a_line(SIGNATURE),
        a_line("x" * 1024),
        a_line("incoming/YXV0aDB8YWRh/6f1c2b9e-3d44-4c1a-9a52-0b7d1f3e8a90"),
    ],
)
def test_scan_accepts_harmless_line(usual: str) -> None:
    assert problems([usual]) == []


@pytest.mark.parametrize(
    "line",
    ["words", "[]", "1", '{"a": 1} {"b": 2}', '{"a": 1}{"b": 2}', '{"a": "\u2028"}', '{"a": "\x1b[31m"}', '{"a": 1'],
)
def test_scan_rejects_line_that_is_not_one_object(line: str) -> None:
    assert problems([line]) == [f"not one JSON object: {line!r}"]


def test_checked_logs_fails_test_that_logs_token(pytester: pytest.Pytester) -> None:
    """The fixture itself is checked: it must fail."""
    pytester.makeconftest("from tests.conftest import checked_logs, log_stream")
    pytester.makepyfile(
        """
        from profile_media import telemetry
        from tests.tokens import a_token

        def test_secret(checked_logs):
            telemetry.logger.warning("refused", token=a_token())

        def test_harmless(checked_logs):
            telemetry.logger.info("as usual")
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=2, errors=1)
