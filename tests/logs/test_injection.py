"""Whatever a client puts where: one JSON object a line, nothing of it outside a field, and no field without an end."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest

from functions.authorize.app import handler as authorize
from profile_media.telemetry import MAX_FIELD, MAX_TRACE
from profile_media.wiring import authorization
from tests.assurance import Note
from tests.conftest import Logs
from tests.functions.conftest import Context, Rows, an_event, run
from tests.logbook import Listener
from tests.template.document import ROOT
from tests.tokens import AUDIENCE, ISSUER, a_jwks, a_token
from tests.unit.http.test_multipart import PICTURE, TYPE, a_form, a_part

pytestmark = pytest.mark.campaign("Logs")

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
    """The event with another value at one place."""
    copy: Any = deepcopy(event)
    place = copy
    for step in path[:-1]:
        if place[step] is None:
            place[step] = {}
        place = place[step]
    place[path[-1]] = value
    return copy  # type: ignore[no-any-return]


def leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where an event holds a text."""
    if isinstance(value, Mapping | list):
        for step, member in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from leaves(member, (*path, step))
    elif isinstance(value, str):
        yield path


def requests(name: str, hostile: str) -> Iterator[dict[str, Any]]:
    """The sample request, hostile in one place after another."""
    event = an_event(name)
    if event["isBase64Encoded"]:  # without the picture, which is work
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
    """The sample event, hostile in one place after another, and as the members of a message."""
    event = an_event(name)
    for path in leaves(event):
        if path[-1] not in {"eventName", "eventSource"}:
            yield changed(event, path, hostile)
    for message in ({"owner_id": hostile, "upload_id": hostile}, {"owner_id": "auth0|ada", "upload_id": hostile}):
        yield changed(event, ("Records", 0, "body"), json.dumps(message))


def check(listener: Listener, logs: Logs) -> int:
    """Holds what was written to its promises; how many lines those are."""
    records = logs()
    for record in records:
        trace = record.pop("exception", "")
        assert len(trace) <= MAX_TRACE
        assert "forged" not in record
        for path in leaves(record):
            value = record
            for step in path:
                value = value[step]
            assert len(value) <= MAX_FIELD, path
    assert list(listener.book.wrongs()) == []
    assert len(records) <= len(listener.book.lines)
    return len(listener.book.lines)


@pytest.mark.parametrize("name", API_FUNCTIONS)
def test_no_request_can_forge_or_flood_a_record(
    name: str, listener: Listener, rows: Rows, logs: Logs, note: Note
) -> None:
    rows.bound()
    vectors = [event for hostile in HOSTILE for event in requests(name, hostile)]
    for event in vectors:
        run(name, event)
    note.add("injection vectors", len(vectors))
    note.add("lines written for them", check(listener, logs))


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("name", EVENT_FUNCTIONS)
def test_no_event_can_forge_or_flood_a_record(name: str, listener: Listener, logs: Logs, note: Note) -> None:
    vectors = [event for hostile in HOSTILE for event in events(name, hostile)]
    for event in vectors:
        with suppress(Exception):  # and the platform tries again
            run(name, event)
    note.add("injection vectors", len(vectors))
    lines = check(listener, logs)
    assert lines
    note.add("lines written for them", lines)


def test_no_token_can_forge_or_flood_a_record(listener: Listener, monkeypatch: pytest.MonkeyPatch, note: Note) -> None:
    monkeypatch.setenv("TOKEN_ISSUER", ISSUER)
    monkeypatch.setenv("TOKEN_AUDIENCE", AUDIENCE)
    monkeypatch.setattr(authorization, "fetch", lambda _: a_jwks())
    authorization.verifier.cache_clear()
    vectors = 0
    for hostile in HOSTILE:
        for token in (
            hostile,
            *(a_token(header={name: hostile}) for name in ("kid", "alg", "typ", "crit", "x")),
            a_token(sub=hostile),
            a_token(iss=hostile),
            a_token(aud=hostile),
            a_token(exp=hostile),
            a_token(email=hostile),
            a_token(scope=hostile),
        ):
            vectors += 1
            event = {**an_event("authorize"), "authorizationToken": f"Bearer {token}"}
            with suppress(Exception):  # which exception it is, others ask
                authorize(event, Context("authorize"))
    authorization.verifier.cache_clear()
    assert list(listener.book.wrongs()) == []
    assert all(len(line) < MAX_FIELD for line, _ in listener.book.lines)
    assert len(listener.book.lines) >= vectors - 3 * len(HOSTILE)  # those believed say nothing
    note.add("injection vectors", vectors)
