"""Send hostile bodies to every function that takes a body: it never answers 5xx and never works for long.

The bodies are the same each time: odd JSON and odd forms by name, and random changes of good ones.
"""

import json
import random
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from tests.builders import ADA
from tests.functions.conftest import Rows, an_event, run
from tests.unit.http.test_multipart import BOUNDARY, DAMAGED, GOOD, HEAVY, PICTURE, TYPE, a_form, a_part, a_text

JSON_FUNCTIONS = (
    *("create_upload_intent", "bind_avatar", "bind_cover_image", "set_avatar_url"),
    *("update_my_profile_picture", "update_profile_picture", "put_user"),
)
FORM_FUNCTIONS = ("upload_user_image", "update_profile_image")
JSON_TYPE = "application/json"
SLOWEST = 1
"""CPU seconds that one body may take; the slowest takes a twentieth of that on an idle machine."""

ODD_JSON: dict[str, bytes] = {
    "nothing": b"",
    "white space": b" \r\n\t",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"text"',
    "half an object": b'{"publicId"',
    "two objects": b"{}{}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"publicId": "x"}'.encode("utf-16"),
    "UTF-32": '{"publicId": "x"}'.encode("utf-32"),
    "bytes that are no UTF-8": b'{"publicId": "\xff\xfe\xc0\x80"}',
    "an overlong slash": b'{"publicId": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"publicId": "\xed\xa0\x80"}',
    "half a surrogate pair": b'{"publicId": "\\ud800", "uploadId": "\\udfff", "first_name": "\\ud800"}',
    "a null character": b'{"publicId": "\\u0000", "uploadId": "\\u0000", "avatarUrl": "\\u0000", "slot": "\\u0000"}',
    "a raw null": b'{"publicId": "\0"}',
    "the same name twice": b'{"publicId": "a", "publicId": "b"}',
    "the same name twice, escaped": b'{"uploadId": null, "uplo\\u0061dId": "b"}',
    "NaN": b'{"contentLength": NaN}',
    "infinity": b'{"contentLength": -Infinity}',
    "a number beyond any float": b'{"contentLength": 1e999999}',
    "an exponent of 4,000 digits": b'{"contentLength": 1e' + b"9" * 4000 + b"}",
    "a number of 4,000 digits": b'{"slot": "avatar", "contentType": "image/png", "contentLength": '
    + b"9" * 4000
    + b"}",
    "a number of 15,000 digits": b'{"contentLength": ' + b"9" * 15_000 + b"}",
    "a number of a megabyte": b'{"contentLength": ' + b"9" * 2**20 + b"}",
    "10,000 lists": b'{"publicId": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "7,000 lists": b'{"publicId": ' + b"[" * 7_000 + b"]" * 7_000 + b"}",
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "2,700 objects": b'{"a":' * 2_700 + b"1" + b"}" * 2_700,
    "100,000 members": json.dumps({str(number): number for number in range(100_000)}).encode(),
    "1,500 members": json.dumps({str(number): number for number in range(1_500)}).encode(),
    "1,900 names too many": json.dumps({f"\x1b{number}": 0 for number in range(1_200)}).encode(),
    "a text of 5 MB": b'{"publicId": "' + b"x" * 5_000_000 + b'"}',
    "a text of 16 KB": json.dumps(
        dict.fromkeys(("publicId", "avatarUrl", "uploadId", "slot", "first_name"), "x" * 3_000)
    ).encode(),
    "4 MB of carriage returns": b"\r" * 4_000_000,
    "4 MB of quotes": b'"' * 4_000_000,
    "4 MB of backslashes": b'"' + b"\\" * 4_000_000,
    "4 MB of opening brackets": b"[" * 4_000_000,
    "an address that backtracks": b'{"email_address": "' + b"a@" * 120 + b'"}',
    "a URL that backtracks": b'{"avatarUrl": "https://' + b"a." * 900 + b'\\u0000"}',
    "a path that backtracks": b'{"avatarUrl": "https://a.example' + b"/a" * 900 + b'\\\\"}',
    "prototypes": b'{"__proto__": {"admin": true}, "constructor": 1, "__class__": {"__init__": {}}}',
    "true for everything": json.dumps(
        dict.fromkeys(("publicId", "avatarUrl", "uploadId", "slot", "contentType", "contentLength", "first_name"), True)
    ).encode(),
}

ODD_FORMS: dict[str, bytes] = {
    "100,000 tiny parts": a_form(*[a_part(b"", "form-data; name=a")] * 40_000),
    "4 MB of carriage returns": b"\r" * 4_000_000,
    "a picture of carriage returns": a_form(a_part(b"\r" * 4_000_000)),
    "JSON": b'{"file": "x"}',
    "a file name that breaks lines": a_form(a_part(PICTURE, 'form-data; name="file"; filename="\r\n{}\u2028\x1b[31m"')),
}

SPLICES = (
    *(
        b"",
        b"\r\n",
        b"\r",
        b"\n",
        b"--",
        b"\0",
        b'"',
        b"'",
        b"\\",
        b";",
        b":",
        b"=",
        b"%",
        b"&",
        b"{",
        b"}",
        b"[",
        b"]",
    ),
    *(b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"null", b"1e999", b"-", b'"\\u0000"', b",", b'{"a":', b"--" * 40),
    *(BOUNDARY.encode(), b"\r\n--" + BOUNDARY.encode(), b"Content-Disposition: form-data; ", b"Content-Length: 1\r\n"),
)
REQUESTS = (
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /media/intents HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    b"slot=avatar&contentType=image%2Fpng&contentLength=1",
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    bytes(range(256)),
)


@cache
def forms_by_chance(count: int = 590) -> tuple[bytes, ...]:
    """Forms that were damaged a little."""
    whole = [GOOD, a_form(a_text("file"), a_part(b"x" * 40)), a_form(a_part(b"\r\n--"), a_text("a"), a_part())]
    return tuple(_damaged(whole, count, seed=590))


@cache
def bodies_by_chance(count: int = 2_674) -> tuple[bytes, ...]:
    """Return good bodies, forms and requests with random changes."""
    good = [an_event(name)["body"].encode() for name in JSON_FUNCTIONS]
    return tuple(_damaged([*good, *good, *REQUESTS, GOOD, *ODD_JSON.values()], count, seed=2_674))


def _damaged(good: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    short = [body for body in good if len(body) < 20_000]
    for _ in range(count):
        body = chance.choice(short)
        for _ in range(chance.randint(1, 5)):
            start = chance.randint(0, len(body))
            piece = chance.choice(
                (chance.choice(SPLICES), chance.randbytes(chance.randint(1, 9)), body[start : start + 30])
            )
            body = body[:start] + piece + body[start + chance.choice((0, 0, 1, 3, 20)) :]
        yield body


def carried(event: Mapping[str, Any], body: bytes | str, content_type: str, *, encoded: bool = True) -> dict[str, Any]:
    """Return the event with another body; a text may be marked with the wrong encoding."""
    text = body if isinstance(body, str) else b64encode(body).decode()
    return {
        **event,
        "headers": {**event["headers"], "Content-Type": content_type},
        "body": text,
        "isBase64Encoded": encoded,
    }


def events_for(name: str, step: int) -> Iterator[dict[str, Any]]:
    """Yield all events for a function; of the random bodies every `step`-th."""
    event, own, forms = an_event(name), TYPE if name in FORM_FUNCTIONS else JSON_TYPE, [*ODD_FORMS.values()]
    if name in FORM_FUNCTIONS:
        forms += [make() for make in (DAMAGED | HEAVY).values()]
    for body in (*ODD_JSON.values(), *forms, *forms_by_chance()[::step], *bodies_by_chance()[::step]):
        yield carried(event, body, own)
    good: str = event["body"]
    for text in (good, good[:-1], good + "=", "\u2028", "\ud800", "{}", "====", "e30", "e30=", "e30=\n", "\0" * 999):
        for encoded in (True, False):
            yield carried(event, text, own, encoded=encoded)
    for content_type in (
        "",
        "text/html",
        JSON_TYPE,
        TYPE,
        f"{JSON_TYPE}, {TYPE}",
        "multipart/form-data",
        "\r\n\x1b" * 3000,
    ):
        yield carried(event, ODD_JSON["two objects"], content_type)
        yield carried(event, GOOD, content_type)
    yield {**event, "body": None}
    yield {**event, "headers": None}


def work(name: str, event: dict[str, Any]) -> tuple[int, float]:
    """Return the status and the CPU seconds."""
    began = time.thread_time()
    status: int = run(name, event)["statusCode"]
    return status, time.thread_time() - began


@pytest.mark.parametrize("step", [50, pytest.param(1, marks=pytest.mark.assurance)])
@pytest.mark.parametrize("name", [*JSON_FUNCTIONS, *FORM_FUNCTIONS])
def test_function_answers_hostile_body_without_much_work(name: str, step: int, rows: Rows) -> None:
    rows.bound(owner_id=ADA)  # the user that paths name
    for event in events_for(name, step):
        status, seconds = work(name, event)
        described = f"{str(event['body'])[:200]!r} as {event['headers'] and event['headers']['Content-Type'][:99]!r}"
        assert 200 <= status < 500, described
        assert seconds < SLOWEST, described
