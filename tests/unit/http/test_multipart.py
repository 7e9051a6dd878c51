"""Parsing the picture out of a form, and refusing everything else within a bounded time."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profile_media.domain.errors import PayloadTooLarge, RequestInvalid
from profile_media.domain.framing import Crop, Focus, Framing
from profile_media.domain.policy import MAX_DIRECT_BYTES
from profile_media.http.multipart import (
    MAX_HEADER_BYTES,
    MAX_HEADERS,
    MAX_OTHER_BYTES,
    MAX_PARTS,
    SentPicture,
    parse_picture,
)
from tests.requests import a_request

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
DELIMITER = b"--" + BOUNDARY.encode()
END = b"\r\n" + DELIMITER + b"--\r\n"
FILE = 'form-data; name="file"; filename="image.png"'
PICTURE = b"\x89PNG\r\n\x1a\n\r\n--not-the-boundary\r\n--\r\n"

SLOWEST = 0.5
"""Seconds of CPU that parsing any body may take, in the fastest of three attempts."""


def parse(body: bytes, content_type: str | None = TYPE) -> bytes:
    headers = {} if content_type is None else {"content-type": content_type}
    return parse_picture(a_request(headers=headers, body=body)).content


def a_part(content: bytes = PICTURE, disposition: str = FILE, *headers: bytes) -> bytes:
    """Build a part without the boundary after it; `headers` follow the disposition."""
    lines = [b"Content-Disposition: " + disposition.encode(), *headers]
    return DELIMITER + b"\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + content


def a_form(*parts: bytes) -> bytes:
    """Build a complete form."""
    return b"\r\n".join(parts) + END


def a_text(name: str, value: bytes = b"text") -> bytes:
    return a_part(value, f'form-data; name="{name}"')


def refusal_of(body: bytes, content_type: str | None = TYPE) -> str:
    with pytest.raises(RequestInvalid) as caught:
        parse(body, content_type)
    return "; ".join(caught.value.details)


@given(st.binary(min_size=1, max_size=2000))
def test_parse_picture_returns_content_unchanged(content: bytes) -> None:
    if b"\r\n" + DELIMITER not in b"\r\n" + content:
        assert parse(a_form(a_part(content))) == content


@pytest.mark.parametrize(
    "content_type",
    [
        TYPE,
        f'Multipart/Form-Data;boundary="{BOUNDARY}"',
        f"multipart/form-data; charset=utf-8; boundary={BOUNDARY}",
        f'multipart/form-data; Boundary={BOUNDARY}; charset="UTF-8"',
        f" multipart/form-data ;  boundary={BOUNDARY} ",
    ],
)
def test_content_type_is_accepted_in_any_spelling(content_type: str) -> None:
    assert parse(a_form(a_part()), content_type) == PICTURE


@pytest.mark.parametrize("boundary", ["x", "-", "a" * 70, "0aZ'()+_,-./:=?", "gc0p4Jq0M2Yt08jU534c0p"])
def test_boundary_may_have_any_allowed_character(boundary: str) -> None:
    body = a_form(a_part()).replace(BOUNDARY.encode(), boundary.encode())
    assert parse(body, f'multipart/form-data; boundary="{boundary}"') == PICTURE
    assert parse(body, f"multipart/form-data; boundary={boundary}") == PICTURE


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "multipart/form-data",
        "multipart/form-data;",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        f'multipart/form-data; boundary="{BOUNDARY}',
        f'multipart/form-data; boundary={BOUNDARY}"',
        f"multipart/form-data; boundary={'a' * 71}",
        f"multipart/form-data; boundary={BOUNDARY}; boundary=x",
        f"multipart/form-data; boundary=x; boundary={BOUNDARY}",
        f"multipart/form-data; boundary*=utf-8''{BOUNDARY}",
        f"multipart/form-data; boundary={BOUNDARY}\r\nX: y",
        f"multipart/form-data, {TYPE}",
        f"multipart/mixed; boundary={BOUNDARY}",
        f"x-multipart/form-data; boundary={BOUNDARY}",
        "multipart/form-data; boundary=\u00fc",
        "multipart/form-data; boundary=a b",
        "application/json",
        "application/x-www-form-urlencoded",
        "image/png",
    ],
)
def test_other_content_type_is_refused(content_type: str | None) -> None:
    assert "Content-Type" in refusal_of(a_form(a_part()), content_type)


def test_last_line_break_may_be_missing() -> None:
    assert parse(GOOD.removesuffix(b"\r\n")) == PICTURE


@pytest.mark.parametrize("filling", [" ", ";", "a", '"', "; charset=a", "; boundary=a", ';charset="', "\\"])
@pytest.mark.parametrize(
    "start", ["", "multipart/form-data", TYPE, "multipart/form-data; charset=a", TYPE + "; charset"]
)
def test_hostile_content_type_stays_within_cpu_budget(start: str, filling: str) -> None:
    content_type = start + filling * (10_000 // len(filling)) + "\0"
    began = time.thread_time()
    assert "Content-Type" in refusal_of(GOOD, content_type)
    assert time.thread_time() - began < SLOWEST


def test_other_parts_are_ignored() -> None:
    assert parse(a_form(a_text("file", b"image.png"), a_text("user"), a_part())) == PICTURE
    assert parse(a_form(a_part(), a_part(b"other", 'form-data; name="cover"; filename="b.png"'))) == PICTURE


@pytest.mark.parametrize(
    "disposition",
    [
        "form-data; name=file; filename=image.png",
        'form-data; filename="image.png"; name="file"',
        'FORM-DATA; NAME="file"; FILENAME="a"',
        "form-data; name=file; filename=image.png; filename*=utf-8''%C3%BC.png",
        'form-data; name="file"; filename=""',
        'form-data; name="file"; filename="; name=other"',
        'form-data; name="file"; filename="C:\\\\pictures\\\\a.png"',
        'form-data; name="file"; filename="a\\"b.png"',
        'form-data; name="file"; filename="%22%0D%0A.png"',
        'form-data; name="file"; filename="\u00fc\u202e\u0000.png"',
        'form-data; name="file"; filename="../../etc/passwd"',
    ],
)
def test_file_part_is_found_in_any_spelling(disposition: str) -> None:
    assert parse(a_form(a_part(PICTURE, disposition))) == PICTURE


@pytest.mark.parametrize(
    "disposition",
    [
        'form-data; name="file"',
        'form-data; name="File"; filename="a.png"',
        'form-data; name="file[]"; filename="a.png"',
        'form-data; name="file\\"; filename="a.png"',
        "form-data; name=\"file\"; filename*=utf-8''a.png",
    ],
)
def test_form_without_file_part_is_refused(disposition: str) -> None:
    assert "there are 0" in refusal_of(a_form(a_part(PICTURE, disposition)))
    assert parse(a_form(a_part(b"other", disposition), a_part())) == PICTURE


def test_second_file_is_refused() -> None:
    assert "there are 2" in refusal_of(a_form(a_part(), a_part()))
    assert "there are 0" in refusal_of(DELIMITER + b"--\r\n")
    assert "empty" in refusal_of(a_form(a_part(b"")))


def test_part_limit_is_inclusive() -> None:
    texts = [a_text(f"text{number}") for number in range(MAX_PARTS)]
    assert parse(a_form(*texts[1:], a_part())) == PICTURE
    refusal_of(a_form(*texts, a_part()))


def test_header_count_limit_is_inclusive() -> None:
    others = [b"X-%d: y" % number for number in range(MAX_HEADERS)]
    assert parse(a_form(a_part(PICTURE, FILE, *others[1:]))) == PICTURE
    refusal_of(a_form(a_part(PICTURE, FILE, *others)))


def test_header_size_limit_is_inclusive() -> None:
    taken = len("Content-Disposition" + FILE) + len("X")
    assert parse(a_form(a_part(PICTURE, FILE, b"X: " + b"y" * (MAX_HEADER_BYTES - taken)))) == PICTURE
    refusal_of(a_form(a_part(PICTURE, FILE, b"X: " + b"y" * (MAX_HEADER_BYTES - taken + 1))))


@pytest.mark.parametrize("encoding", ["binary", "base64", "quoted-printable", "gzip"])
def test_transfer_encoding_is_not_decoded(encoding: str) -> None:
    header = f"Content-Transfer-Encoding: {encoding}".encode()
    assert parse(a_form(a_part(b"aGVsbG8=", FILE, header, b"Content-Type: text/html"))) == b"aGVsbG8="


def test_picture_limit_is_inclusive() -> None:
    largest = b"x" * MAX_DIRECT_BYTES
    assert parse(a_form(a_part(largest))) == largest
    with pytest.raises(PayloadTooLarge) as caught:
        parse(a_form(a_part(largest + b"x")))
    assert caught.value.limit == MAX_DIRECT_BYTES


def test_body_limit_is_inclusive() -> None:
    room = MAX_DIRECT_BYTES + MAX_OTHER_BYTES - len(a_form(a_text("text", b""), a_part()))
    assert parse(a_form(a_text("text", b"x" * room), a_part())) == PICTURE
    with pytest.raises(PayloadTooLarge):
        parse(a_form(a_text("text", b"x" * (room + 1)), a_part()))
    refusal_of(a_form(a_text("text", b"x" * (room + 1)), a_part()), "application/json")


def _nested(levels: int) -> bytes:
    body = a_form(a_part())
    for _ in range(levels):
        body = a_form(a_part(body, 'form-data; name="nested"', b"Content-Type: " + TYPE.encode()))
    return body


def _filled(pattern: bytes, size: int = MAX_DIRECT_BYTES) -> bytes:
    return (pattern * (size // len(pattern) + 1))[:size]


def _filled_form(pattern: bytes) -> bytes:
    return a_form(a_part(_filled(pattern)))


def _cut(at: int) -> bytes:
    return GOOD[:at]


GOOD = a_form(a_part())

DAMAGED: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "a line break": lambda: b"\r\n",
    "the boundary alone": lambda: DELIMITER,
    "the boundary and a line break": lambda: DELIMITER + b"\r\n",
    "one dash at the end": lambda: GOOD[:-3],
    "no dashes at the end": lambda: GOOD[:-4] + b"\r\n",
    "no last boundary": lambda: GOOD.removesuffix(END),
    "no last boundary but a line break": lambda: GOOD.removesuffix(END) + b"\r\n",
    "half a last boundary": lambda: GOOD[:-10],
    "text in front": lambda: b"preamble\r\n" + GOOD,
    "text right in front": lambda: b"x" + GOOD,
    "spaces in front": lambda: b"  " + GOOD,
    "line breaks in front": lambda: b"\r\n\r\n" + GOOD,
    "text behind": lambda: GOOD + b"epilogue",
    "line breaks behind": lambda: GOOD + b"\r\n",
    "a second form behind": lambda: GOOD + GOOD,
    "only line feeds": lambda: GOOD.replace(b"\r\n", b"\n"),
    "only carriage returns": lambda: GOOD.replace(b"\r\n", b"\r"),
    "line feeds in the head": lambda: DELIMITER + b"\nContent-Disposition: " + FILE.encode() + b"\n\nx" + END,
    "another boundary": lambda: GOOD.replace(BOUNDARY.encode(), b"other"),
    "a longer boundary": lambda: GOOD.replace(BOUNDARY.encode(), BOUNDARY.encode() + b"x"),
    "a space behind a boundary": lambda: GOOD.replace(DELIMITER + b"\r\n", DELIMITER + b" \r\n"),
    "no head": lambda: DELIMITER + b"\r\n\r\nx" + END,
    "no end of the head": lambda: DELIMITER + b"\r\nContent-Disposition: " + FILE.encode() + END,
    "no disposition": lambda: GOOD.replace(b"Content-Disposition", b"Content-Type"),
    "an attachment": lambda: GOOD.replace(b"form-data", b"attachment"),
    "an empty disposition": lambda: a_form(a_part(PICTURE, "")),
    "no name": lambda: a_form(a_part(PICTURE, 'form-data; filename="a.png"')),
    "a name of RFC 2231": lambda: a_form(a_part(PICTURE, "form-data; name*=utf-8''file; filename=\"a.png\"")),
    "a name in two parts": lambda: a_form(a_part(PICTURE, 'form-data; name*0="fi"; name*1="le"; filename="a"')),
    "a name that does not end": lambda: a_form(a_part(PICTURE, 'form-data; name="file; filename=')),
    "two dispositions": lambda: a_form(a_part(PICTURE, FILE, b"Content-Disposition: " + FILE.encode())),
    "two dispositions, spelt apart": lambda: a_form(a_part(PICTURE, FILE, b"content-disposition: " + FILE.encode())),
    "two types": lambda: a_form(a_part(PICTURE, FILE, b"Content-Type: image/png", b"Content-Type: image/gif")),
    "two lengths": lambda: a_form(a_part(b"x", FILE, b"Content-Length: 1", b"Content-Length: 1")),
    "a short length": lambda: a_form(a_part(PICTURE, FILE, b"Content-Length: 1")),
    "a long length": lambda: a_form(a_part(PICTURE, FILE, b"Content-Length: 999999")),
    "a negative length": lambda: a_form(a_part(PICTURE, FILE, b"Content-Length: -1")),
    "a length of 4,000 digits": lambda: a_form(a_part(PICTURE, FILE, b"Content-Length: " + b"9" * 4000)),
    "a folded header": lambda: a_form(a_part(PICTURE, FILE, b" folded: x")),
    "a header without a colon": lambda: a_form(a_part(PICTURE, FILE, b"X")),
    "a header without a name": lambda: a_form(a_part(PICTURE, FILE, b": x")),
    "a header name with a space": lambda: a_form(a_part(PICTURE, FILE, b"X Y: z")),
    "a header that is not UTF-8": lambda: a_form(a_part(PICTURE, FILE, b"X: \xff\xfe")),
    "a header of half a character": lambda: a_form(a_part(PICTURE, FILE, b"X: \xed\xa0\x80")),
    "a zero in a header's name": lambda: a_form(a_part(PICTURE, FILE, b"X\x00: y")),
    "a huge header": lambda: a_form(a_part(PICTURE, FILE, b"X: " + b"y" * 4_000_000)),
    "a huge header that does not end": lambda: DELIMITER + b"\r\nX: " + b"y" * 4_000_000,
    "a huge filename": lambda: a_form(a_part(PICTURE, f'form-data; name="file"; filename="{"x" * 100_000}"')),
    "100,000 headers": lambda: a_form(a_part(PICTURE, FILE, *[b"X%d: y" % n for n in range(100_000)])),
    "100,000 tiny parts": lambda: a_form(*[DELIMITER + b"\r\nA:\r\n\r\n"] * 80_000),
    "50,000 tiny files": lambda: a_form(*[a_part(b"x", "form-data; name=file; filename=a")] * 30_000),
    "boundaries only": lambda: _filled(DELIMITER + b"\r\n"),
    "carriage returns": lambda: _filled(b"\r"),
    "line feeds": lambda: _filled(b"\n"),
    "line breaks": lambda: _filled(b"\r\n"),
    "dashes": lambda: _filled(b"-"),
    "forms within forms": lambda: _nested(2000),
    "a header of semicolons": lambda: a_form(a_part(PICTURE, "form-data" + ";" * 4000)),
    "a header of open quotes": lambda: a_form(a_part(PICTURE, "form-data" + '; a="\\' * 600)),
    "a header of spaces": lambda: a_form(a_part(PICTURE, "form-data;" + " " * 3000 + "; a" + " " * 900)),
    "a header of quoted backslashes": lambda: a_form(a_part(PICTURE, 'form-data; name="' + "\\\\" * 1900)),
}
"""Bodies that are malformed, or have no file or several."""

HEAVY: dict[str, Callable[[], bytes]] = {
    f"{pattern!r} in the file": partial(_filled_form, pattern)
    for pattern in (
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n--",
        b"\r\n" + DELIMITER[:-1],
        b"\r\n" + DELIMITER[:-1] + b"\r",
        b"\n" + DELIMITER + b"\r\n\r\n",
        b"-",
        b"\0",
    )
}
"""Well-formed forms that take as much work as possible."""

CUTS: dict[str, Callable[[], bytes]] = {
    f"cut after {at} of {len(GOOD)} bytes": partial(_cut, at) for at in range(0, len(GOOD) - 2, 3)
}


@pytest.mark.parametrize("name", DAMAGED | CUTS)
def test_malformed_form_is_refused(name: str) -> None:
    refusal_of((DAMAGED | CUTS)[name]())


def test_hostile_bodies_are_many() -> None:
    assert len(DAMAGED) + len(CUTS) + len(HEAVY) > 100


@pytest.mark.parametrize("name", HEAVY)
def test_content_that_resembles_boundary_is_content(name: str) -> None:
    body = HEAVY[name]()
    assert len(parse(body)) == MAX_DIRECT_BYTES


@pytest.mark.parametrize("name", DAMAGED | HEAVY)
def test_hostile_body_stays_within_cpu_budget(name: str) -> None:
    body = (DAMAGED | HEAVY)[name]()
    seconds = []
    for _ in range(3):
        start = time.thread_time()
        with suppress(RequestInvalid, PayloadTooLarge):
            parse(body)
        seconds.append(time.thread_time() - start)
    assert min(seconds) < SLOWEST


SPLICES = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b"--", DELIMITER, b"\r\n" + DELIMITER, END, b"\0", b'"', b"\\", b";", b": ", b"\xff", b""]
)


@given(data=st.data())
def test_mutated_form_is_parsed_or_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 30)))
    changed = GOOD[:start] + data.draw(SPLICES | st.binary(max_size=20)) + GOOD[end:]
    with suppress(RequestInvalid):
        assert parse(changed)


@given(st.lists(SPLICES | st.binary(max_size=8) | st.sampled_from([a_part(), a_text("file")]), max_size=8))
def test_shuffled_pieces_of_forms_are_parsed_or_refused(pieces: list[bytes]) -> None:
    with suppress(RequestInvalid):
        assert parse(b"".join(pieces))


@given(st.text(max_size=80), st.text(max_size=40))
def test_generated_headers_are_parsed_or_refused(disposition: str, header: str) -> None:
    lines = header.encode(errors="surrogatepass")
    with suppress(RequestInvalid):
        assert parse(a_form(a_part(PICTURE, "form-data;" + disposition.encode(errors="replace").decode(), lines)))


@given(st.text(max_size=100), st.binary(max_size=200))
def test_random_content_type_and_body_are_refused(content_type: str, body: bytes) -> None:
    refusal_of(body, content_type)
    refusal_of(body, "multipart/form-data; boundary=" + content_type)


def test_inserted_bytes_at_every_position_are_parsed_or_refused() -> None:
    for at, piece in product(range(len(GOOD)), (b"\r", b"\n", b"-", b"\0")):
        with suppress(RequestInvalid):
            assert parse(GOOD[:at] + piece + GOOD[at:])


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("crop", b'{"x":0,"y":0,"width":16,"height":16}', Crop(0, 0, 16, 16)),
        ("crop", b' {"height": 400, "width": 300, "y": 20, "x": 10}\n', Crop(10, 20, 300, 400)),
        ("focus", b'{"x":0.5,"y":0.25}', Focus(0.5, 0.25)),
        ("focus", b'{"x":0,"y":1}', Focus(0, 1)),
        ("caption", b"text", None),
    ],
)
def test_parse_picture_reads_what_to_show(name: str, text: bytes, expected: Framing) -> None:
    for parts in ((a_text(name, text), a_part()), (a_part(), a_text(name, text))):
        request = a_request(headers={"content-type": TYPE}, body=a_form(*parts))
        assert parse_picture(request) == SentPicture(PICTURE, expected)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("crop", text) for text in (b"", b"{}", b"[1]", b"1,2,16,16", b"\xff", b"[" * 9999)),
        *(
            ("crop", b'{"x":0,"y":0,"width":%s,"height":16}' % text)
            for text in (b"15", b"16.0", b'"16"', b"1000001", b"-16")
        ),
        ("crop", b'{"x":0,"y":0,"width":16,"height":16,"z":1}'),
        *(("focus", b'{"x":0.5,"y":%s}' % text) for text in (b"1.1", b"-0.1", b"NaN", b"null", b'"0"')),
    ],
)
def test_parse_picture_refuses_invalid_framing(name: str, text: bytes) -> None:
    assert refusal_of(a_form(a_text(name, text), a_part())).startswith(f"{name}: must be ")


def test_parse_picture_refuses_two_framings() -> None:
    for names in (("crop", "focus"), ("crop", "crop")):
        parts = [a_text(name, b"{}") for name in names]
        assert refusal_of(a_form(*parts, a_part())) == "crop, focus: must be at most one field"
