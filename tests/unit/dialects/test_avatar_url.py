"""Dialect 2: parsing URLs, and error bodies."""

from collections.abc import Sequence
from typing import Any

import pytest

from profile_media.dialects import avatar_url
from profile_media.domain import errors
from profile_media.domain.errors import MediaError, ReferenceInvalid, RequestInvalid
from profile_media.domain.keys import media_key
from profile_media.domain.model import Reason, Slot
from profile_media.domain.references import ExternalUrl, Reference
from tests.builders import ADA, a_derivative, an_id
from tests.docs.markdown import table
from tests.requests import a_json_request

BASE = "https://media.example.com"
KEY = media_key(an_id(1), a_derivative())


WRONG = (
    errors.ReferenceInvalid("on our host, but no derivative"),
    errors.UploadNotFound("another owner's"),
    errors.UploadNotReady(an_id(1)),
    errors.UploadRejected(Reason.CORRUPT),
    errors.SlotMismatch(Slot.COVER_IMAGE),
)
"""Errors of an unusable URL."""

OTHERS = (
    errors.UserNotFound("another tenant's"),
    errors.AttachmentChanged(Slot.AVATAR),
    errors.LimitExceeded(errors.Limit.CHANGES_PER_MINUTE, 7),
    errors.Unavailable("SlowDown"),
    None,
)
"""Other errors of the endpoint."""


def code_of(error: MediaError | None) -> object:
    body: Any = avatar_url.render_error(error, "r")
    return body["error"]["code"]


def test_url_is_echoed_as_sent() -> None:
    url = "https://pictures.example.com/../a b".replace(" ", "%20")
    assert avatar_url.parse_url(a_json_request({"avatarUrl": url, "other": 1})) == url
    assert avatar_url.render(url).body == {"success": True, "data": {"avatarUrl": url}}


@pytest.mark.parametrize("body", [{}, {"avatarUrl": None}, {"avatarUrl": 7}, {"avatarUrl": ["https://a.example"]}])
def test_parse_url_refuses_value_that_is_not_url(body: object) -> None:
    with pytest.raises(ReferenceInvalid):
        avatar_url.parse_url(a_json_request(body))


def test_parse_url_refuses_body_that_is_not_object() -> None:
    with pytest.raises(RequestInvalid):
        avatar_url.parse_url(a_json_request("https://a.example"))


def test_own_media_url_needs_no_allowed_host() -> None:
    expected = Reference(ADA, an_id(1), media_key=KEY)
    assert avatar_url.parse_reference(f"{BASE}/{KEY}", ADA, BASE, ()) == expected


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://pictures.example.org/a.png", ("*",)),
        ("https://pictures.example.org/a.png", ("pictures.example.org",)),
        ("https://pictures.example.org", ("other.example.org", "pictures.example.org")),
        ("https://pictures.example.org/", ("pictures.example.org",)),
        ("https://pictures.example.org:8443/a.png", ("pictures.example.org",)),
    ],
)
def test_external_picture_on_allowed_host_is_accepted(url: str, hosts: Sequence[str]) -> None:
    assert avatar_url.parse_reference(url, ADA, BASE, hosts) == ExternalUrl(url, "pictures.example.org")


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        ("example.org",),
        ("pictures.example",),
        ("pictures.example.org.evil.example",),
        ("*.example.org",),
        (".example.org",),
        ("evil.example",),
        ("",),
    ],
)
def test_external_picture_on_similar_host_is_refused(hosts: Sequence[str]) -> None:
    with pytest.raises(ReferenceInvalid):
        avatar_url.parse_reference("https://pictures.example.org/evil.example/a.png", ADA, BASE, hosts)


def test_external_picture_on_host_with_allowed_prefix_is_refused() -> None:
    with pytest.raises(ReferenceInvalid):
        avatar_url.parse_reference("https://pictures.example.org.evil.example/a", ADA, BASE, ("pictures.example.org",))


@pytest.mark.parametrize("error", WRONG)
def test_every_unusable_url_has_same_error_body(error: MediaError) -> None:
    assert avatar_url.STATUSES[error.code] == 400
    (sentence,) = avatar_url.INVALID.details
    assert avatar_url.render_error(error, "r") == {
        "success": False,
        "error": {
            "code": "REQUEST_INVALID",
            "message": f"Invalid request: {sentence}",
            "i18nKey": "media.request_invalid",
            "i18nVars": {},
            "details": [{"message": sentence}],
            "correlationId": "r",
        },
    }


def test_page_lists_error_codes() -> None:
    rows = table("docs/dialects/avatar_url.md", header="Error")
    assert {row["Error"]: row["`error.code`"] for row in rows} == {
        f"`{error.code if error else 'internal'}`": f"`{code_of(error)}`"
        for error in (*WRONG, *OTHERS, errors.RequestInvalid(("the body must be one JSON object",)))
    }
