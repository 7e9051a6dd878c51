"""Strict JSON bodies."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tests.requests
from profile_media.domain.errors import RequestInvalid
from profile_media.http.json_body import MAX_BYTES, parse_object
from profile_media.http.request import Request, body_of


def a_request(body: bytes, content_type: str | None = "application/json") -> Request:
    headers = {} if content_type is None else {"content-type": content_type}
    return tests.requests.a_request(headers=headers, body=body)


@given(
    st.dictionaries(st.text(max_size=20), st.integers() | st.text(max_size=50) | st.none() | st.booleans(), max_size=5)
)
def test_parse_object_returns_members(members: dict[str, object]) -> None:
    assert parse_object(a_request(json.dumps(members).encode())) == members


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")))
def test_random_bytes_are_object_or_refused(body: bytes) -> None:
    with suppress(RequestInvalid):
        assert isinstance(parse_object(a_request(body)), dict)


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"]
)
def test_json_content_type_is_accepted_in_any_spelling(content_type: str) -> None:
    assert parse_object(a_request(b"{}", content_type)) == {}


@pytest.mark.parametrize("content_type", [None, "", "text/json", "application/json+x", "multipart/form-data", "json"])
def test_other_content_type_is_refused(content_type: str | None) -> None:
    with pytest.raises(RequestInvalid):
        parse_object(a_request(b"{}", content_type))


def test_depth_limit_is_inclusive() -> None:
    assert parse_object(a_request(b'{"a":' + b"[" * 7 + b"]" * 7 + b"}"))
    with pytest.raises(RequestInvalid):
        parse_object(a_request(b'{"a":' + b"[" * 8 + b"]" * 8 + b"}"))


def test_size_limit_is_inclusive() -> None:
    body = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert len(body) == MAX_BYTES
    parse_object(a_request(body))
    with pytest.raises(RequestInvalid):
        parse_object(a_request(body + b" "))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b'"text"',
        b"{",
        b"{}{}",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b'{"a": 1, "a": 1}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"1" * 5000 + b"}",
        b'{"a": ' + b"[" * 8000 + b"]" * 8000 + b"}",
        b'{"a": "\xed\xa0\x80"}',
    ],
)
def test_body_that_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(RequestInvalid):
        parse_object(a_request(body))


@given(st.text(), st.booleans())
def test_body_of_event_is_decoded_or_refused(text: str, encoded: bool) -> None:
    with suppress(RequestInvalid):
        assert isinstance(body_of({"body": text, "isBase64Encoded": encoded}), bytes)
