"""Parse any body and header: the result equals what was sent, or the request is refused as invalid."""

import base64
import json
import math
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from profile_media.dialects import upload_id as by_upload_id
from profile_media.dialects.native.intents import parse_intent
from profile_media.dialects.native.showing import LONGEST_WAIT, parse_wait
from profile_media.dialects.sdk_image.writing import parse_identity
from profile_media.domain.errors import MediaError, OwnerForbidden, RequestInvalid, TypeUnsupported
from profile_media.domain.formats import ContentType
from profile_media.domain.model import Caller
from profile_media.http.json_body import MAX_BYTES, MAX_DEPTH, parse_object
from profile_media.http.multipart import parse_picture
from profile_media.http.request import Request, body_of, headers_of
from tests.builders import ADA
from tests.fuzz.grammars import PIECES, damaged, json_values, mutated
from tests.pictures import TYPES
from tests.requests import LINKS

BOUNDARY = "----boundary7MA4YWxk"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def a_request(body: bytes, content_type: str = "application/json", **more: Any) -> Request:
    headers = {"content-type": content_type, **more.pop("headers", {})}
    return Request(Caller(ADA), "correlation", LINKS, headers=headers, body=body, **more)


def spelt(value: object) -> str:
    """JSON of what may not be JSON: lists of pairs are objects, whose names may come twice."""
    if isinstance(value, Pairs):
        return "{" + ",".join(f"{json.dumps(name)}:{spelt(inner)}" for name, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spelt, value)) + "]"
    return json.dumps(value)


class Pairs(list[tuple[str, Any]]):
    """An object's members, any number of the same name."""


def is_strict(value: object, levels: int = MAX_DEPTH) -> bool:
    """What json_body promises, said another way."""
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Pairs):
        names = [name for name, _ in value]
        unique = len(set(names)) == len(names)
        return levels > 0 and unique and all(is_strict(each, levels - 1) for pair in value for each in pair)
    if isinstance(value, list):
        return levels > 0 and all(is_strict(each, levels - 1) for each in value)
    return True


names = st.sampled_from(("a", "b", "slot", "\u00e9", "\ud800"))
loose = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\udfff"),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(names, inner), max_size=3).map(Pairs),
    max_leaves=10,
)
objects = st.lists(st.tuples(names, loose), max_size=3).map(Pairs)


@st.composite
def nested(draw: st.DrawFn) -> Pairs:
    """An object within as many lists and objects as the limit allows, one fewer, or one more."""
    value = draw(objects)
    for _ in range(draw(st.integers(0, MAX_DEPTH))):
        value = Pairs([("a", draw(st.sampled_from((value, [value]))))])
    return value


@given(objects | nested())
def test_json_is_accepted_only_if_strict(value: Pairs) -> None:
    body = spelt(value).encode()
    try:
        taken = parse_object(a_request(body))
    except RequestInvalid:
        assert not is_strict(value) or len(body) > MAX_BYTES
        return
    assert is_strict(value)
    assert taken == json.loads(body)


@given(damaged(objects.map(lambda value: spelt(value).encode())))
def test_damaged_json_is_read_as_others_read_it_or_refused(body: bytes) -> None:
    with suppress(RequestInvalid):
        taken = parse_object(a_request(body))
        assert taken == json.loads(body.decode())
        assert json.loads(json.dumps(taken)) == taken


bodies = st.fixed_dictionaries(
    {},
    optional={
        "slot": st.sampled_from(("avatar", "coverImage", "cover_image", "", None)),
        "contentType": st.sampled_from([*ContentType, "image/svg+xml", "IMAGE/PNG", "image/png,text/html"]),
        "contentLength": st.sampled_from((1, 0, -1, 2**31, 10**400, True, 1.0, "1", None)),
        "checksumSha256": mutated(st.binary(min_size=32, max_size=32).map(lambda raw: base64.b64encode(raw).decode())),
        "owner": st.none() | st.fixed_dictionaries({"userId": st.text(max_size=8) | st.just(ADA)}) | json_values(),
        "uploadId": st.uuids().map(str) | mutated(st.uuids().map(str)) | json_values(),
        "email_address": mutated(st.just("ada@example.com")) | json_values(),
        "image_url": mutated(st.just("https://example.com/a.png")) | json_values(),
        "first_name": st.text(max_size=4) | json_values(),
        "x": json_values(),
    },
)
SHAPES = (parse_intent, parse_identity, by_upload_id.parse_upload_id)


@given(bodies, st.none() | st.text(max_size=5) | st.sampled_from(PIECES))
def test_any_body_is_parsed_or_refused_as_client_error(body: dict[str, object], idempotency_key: str | None) -> None:
    headers = {} if idempotency_key is None else {"idempotency-key": idempotency_key}
    for parse in SHAPES:
        with suppress(RequestInvalid, TypeUnsupported, OwnerForbidden):
            parse(a_request(json.dumps(body).encode(), headers=headers))


@given(st.sampled_from(["avatar", "coverImage"]), st.sampled_from(TYPES), st.integers(1, 2**40))
def test_valid_intent_is_parsed(slot: str, content_type: ContentType, length: int) -> None:
    body = {"slot": slot, "contentType": content_type, "contentLength": length}
    owner_id, asked = parse_intent(a_request(json.dumps(body).encode()))
    assert (asked.content_type, asked.content_length, owner_id) == (content_type, length, ADA)


@given(st.binary(max_size=64), st.data())
def test_body_equals_the_sent_bytes(content: bytes, data: st.DataObject) -> None:
    encoded = base64.b64encode(content).decode()
    assert body_of({"body": encoded, "isBase64Encoded": True}) == content
    text = data.draw(mutated(st.just(encoded)))
    with suppress(RequestInvalid):
        assert base64.b64encode(body_of({"body": text, "isBase64Encoded": True})).rstrip(b"=")[:-1] in text.encode()
    with suppress(RequestInvalid):
        assert body_of({"body": text, "isBase64Encoded": False}).decode() == text


def a_form(name: str, filename: str, content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
    return head.encode(errors="replace") + content + f"\r\n--{BOUNDARY}--\r\n".encode()


@given(
    st.text(max_size=6), st.text(max_size=12) | st.sampled_from(PIECES), st.binary(min_size=1, max_size=40), st.data()
)
def test_file_is_part_of_its_form(name: str, filename: str, content: bytes, data: st.DataObject) -> None:
    form = a_form(data.draw(st.sampled_from(("file", name))), filename, content)
    for body in (form, data.draw(damaged(st.just(form)))):
        with suppress(MediaError):
            taken = parse_picture(a_request(body, FORM)).content
            assert taken
            assert taken in body


@given(mutated(st.just(FORM)))
def test_form_is_read_by_the_boundary_of_its_type(content_type: str) -> None:
    with suppress(RequestInvalid):
        assert parse_picture(a_request(a_form("file", "a.png", b"picture"), content_type)).content == b"picture"
        assert BOUNDARY in content_type


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6))
def test_header_values_are_kept(headers: dict[str, str]) -> None:
    read = headers_of({"headers": headers})
    assert {name.lower() for name in headers} == set(read)
    assert set(read.values()) <= set(headers.values())


@given(st.integers(-5, 200).map(str) | mutated(st.integers(0, 99).map(str)) | st.text(max_size=3))
def test_wait_is_within_bounds_or_refused(text: str) -> None:
    with suppress(RequestInvalid):
        seconds = parse_wait(a_request(b"", query={"wait": text}))
        assert 0 <= seconds <= LONGEST_WAIT
        assert text.lstrip("0") == str(seconds).lstrip("0")
