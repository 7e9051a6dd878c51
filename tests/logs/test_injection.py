"""Send hostile text in every place of every event: a log line stays one JSON object with fields of limited length."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from io import StringIO
from typing import Any

import pytest

from functions.authorize.app import handler as authorize
from profile_media.telemetry import MAX_FIELD, MAX_TRACE
from profile_media.wiring import authorization
from tests.functions.conftest import Context, Rows, an_event, run
from tests.log_scan import problems
from tests.template.document import ROOT
from tests.tokens import AUDIENCE, ISSUER, a_jwks, a_token
from tests.unit.http.test_multipart import PICTURE, TYPE, a_form, a_part

BREAK = '\r\n{"level":"INFO","message":"forged"}\u2028\u0085\x1b[31m\0'
HOSTILE = (BREAK + "{}" * 1000, BREAK * 150 + '\\"}' * 1000 + "\u00e9" * 2000)
"""2 kB and 10 kB."""

HEADERS = ("User-Agent", "Origin", "Idempotency-Key", "Content-Type", "Authorization", "X-Forwarded-For", "Host", BREAK)
CLAIMS = ("sub", "principalId", "tenant", "admin", "exp")
IDENTITY = ("email", "first_name", "last_name", "phone_number", "username", "picture_url", "role")
EVENT_FUNCTIONS = ("process_upload", "release_media", "purge_media")
API_FUNCTIONS = tuple(
    name for name in sorted(path.stem for path in (ROOT / "events").glob("*.json")) if "httpMethod" in an_event(name)
)


def changed(event: Mapping[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    """Return the event with another value at one place."""
    copy: Any = deepcopy(event)
    place = copy
    for step in path[:-1]:
        if place[step] is None:
            place[step] = {}
        place = place[step]
    place[path[-1]] = value
    return copy  # type: ignore[no-any-return]


def leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each text of an event."""
    if isinstance(value, Mapping | list):
        for step, member in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from leaves(member, (*path, step))
    elif isinstance(value, str):
        yield path


def requests(name: str, hostile: str) -> Iterator[dict[str, Any]]:
    """Yield the sample request with hostile text in one place after another."""
    event = an_event(name)
    if event["isBase64Encoded"]:  # a picture would only take time
        event |= {"body": a_form(a_part(b"no picture")).decode(), "isBase64Encoded": False}
    for header in HEADERS:
        yield changed(event, ("headers", header), hostile)
    if "authorizer" in event["requestContext"]:
        for claim in CLAIMS:
            yield changed(event, ("requestContext", "authorizer", claim), hostile)
        for field in IDENTITY:
            yield changed(event, ("requestContext", "authorizer", "identity"), json.dumps({field: hostile}))
    for parameter in event["pathParameters"] or ():
        yield changed(event, ("pathParameters", parameter), hostile)
    for parameter in ("wait", BREAK):
        yield changed(event, ("queryStringParameters", parameter), hostile)
    yield changed(event, ("body",), hostile)
    if event["body"] and event["body"].startswith("{"):
        body = json.loads(event["body"])
        for member in (*body, "unknown", hostile):
            yield changed(event, ("body",), json.dumps({**body, member: hostile}))
    for form in (f'name="{hostile}"; filename="a"', f'name="file"; filename="{hostile}"', hostile):
        content = a_form(a_part(PICTURE, f"form-data; {form}")).decode("latin-1")
        yield changed({**event, "body": content, "isBase64Encoded": False}, ("headers", "Content-Type"), TYPE)


def events(name: str, hostile: str) -> Iterator[dict[str, Any]]:
    """Yield the sample event with hostile text in one place after another."""
    event = an_event(name)
    for path in leaves(event):
        if path[-1] not in {"eventName", "eventSource"}:
            yield changed(event, path, hostile)
    for message in ({"owner_id": hostile, "upload_id": hostile}, {"owner_id": "auth0|ada", "upload_id": hostile}):
        yield changed(event, ("Records", 0, "body"), json.dumps(message))


def check(stream: StringIO) -> int:
    """Check everything that was logged, and return the number of lines."""
    lines = [line for line in stream.getvalue().split("\n") if line]
    assert problems(lines) == []
    for record in map(json.loads, lines):
        assert len(record.pop("exception", "")) <= MAX_TRACE
        assert "forged" not in record
        for path in leaves(record):
            value = record
            for step in path:
                value = value[step]
            assert len(value) <= MAX_FIELD, path
    return len(lines)


@pytest.mark.parametrize("name", API_FUNCTIONS)
def test_request_cannot_forge_or_flood_log_records(name: str, log_stream: StringIO, rows: Rows) -> None:
    rows.bound()
    for hostile in HOSTILE:
        for event in requests(name, hostile):
            run(name, event)
    check(log_stream)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("name", EVENT_FUNCTIONS)
def test_event_cannot_forge_or_flood_log_records(name: str, log_stream: StringIO) -> None:
    for hostile in HOSTILE:
        for event in events(name, hostile):
            with suppress(Exception):  # the platform retries
                run(name, event)
    assert check(log_stream)


def test_token_cannot_forge_or_flood_log_records(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("TOKEN_AUDIENCE", AUDIENCE)
    monkeypatch.setattr(authorization, "fetch", lambda _: a_jwks())
    authorization.verifier.cache_clear()
    tokens = [
        token
        for hostile in HOSTILE
        for token in (
            hostile,
            *(a_token(header={name: hostile}) for name in ("kid", "alg", "typ", "crit", "x")),
            *(a_token(**{claim: hostile}) for claim in ("sub", "iss", "aud", "exp", "email", "scope")),
        )
    ]
    for token in tokens:
        event = {**an_event("authorize"), "authorizationToken": f"Bearer {token}"}
        with suppress(Exception):  # other tests check which exception it is
            authorize(event, Context("authorize"))
    authorization.verifier.cache_clear()
    assert check(StringIO(capsys.readouterr().out)) >= len(tokens) - 3 * len(HOSTILE)  # accepted tokens log nothing
