"""What the edge answers where S3 says yes, to whom pages of other origins may listen, and what strangers get."""

from base64 import b64encode
from hashlib import md5, sha256
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import EndpointConnectionError
from werkzeug.wsgi import LimitedStream

from tests.local.s3_edge.conftest import MEDIA_HEADERS, Edge, document
from tests.local.s3_edge.forms import BOUNDARY, CONTENT, MEDIA, ORIGIN, PUBLIC_URL, UPLOADS, Form, closed, part
from tools.local.s3_edge import create_app

ETAG = f'"{md5(CONTENT, usedforsecurity=False).hexdigest()}"'
LOCATION = f"{PUBLIC_URL}/{UPLOADS}/incoming%2Fowner%2Fupload"


def answer(status: str) -> Form:
    """A form that asks for this status."""
    return Form(fields={"success_action_status": status})


@pytest.mark.parametrize("kept", [0, 10, -1])
def test_a_body_shorter_than_it_was_said_to_be_is_incomplete(edge: Edge, kept: int) -> None:
    body = Form().body()
    response = edge.post_stream(LimitedStream(BytesIO(body[:kept]), len(body)), str(len(body)))
    assert response.status_code == 400
    assert document(response)["Code"] == "IncompleteBody"
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Connection"] == "close"
    assert edge.stored() == {}


@pytest.mark.parametrize(
    ("asked", "status"), [("200", 200), ("204", 204), ("404", 204), ("", 204), ("201 ", 204), ("500", 204)]
)
def test_empty_answers(edge: Edge, asked: str, status: int) -> None:
    response = edge.post(answer(asked))
    assert (response.status_code, response.data) == (status, b"")
    assert (response.headers["ETag"], response.headers["Location"]) == (ETAG, LOCATION)
    assert "Content-Type" not in response.headers


def test_201_is_a_document(edge: Edge) -> None:
    response = edge.post(answer("201"))
    assert response.status_code == 201
    assert (response.headers["ETag"], response.headers["Location"]) == (ETAG, LOCATION)
    assert list(document(response).items()) == [
        ("", "PostResponse"),
        ("Location", LOCATION),
        ("Bucket", UPLOADS),
        ("Key", "incoming/owner/upload"),
        ("ETag", ETAG),
    ]
    assert response.data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>')


@pytest.mark.parametrize(
    "key", ["a/b c+d.png", "président.jpg", "<Key>&amp;\"'", "a\tb", "\x01", "\U0001f4f7", "%2F%00", "..", "a//b/./c/"]
)
def test_any_key_survives_the_way(edge: Edge, key: str) -> None:
    told = document(edge.post(Form(key=key, fields={"success_action_status": "201"})))
    assert told["Key"] == key.replace("\x01", "\ufffd")
    assert edge.stored() == {key: CONTENT}


@pytest.mark.parametrize(
    ("filename", "expanded"),
    [
        ("photo.png", "in/photo.png"),
        ("folder/photo.png", "in/photo.png"),
        ("C:\\folder\\photo.png", "in/photo.png"),
        ("a/..", "in/.."),
        ("", "in/"),
        (None, "in/${filename}"),
    ],
)
def test_filename_is_filled_in_before_the_conditions(edge: Edge, filename: str | None, expanded: str) -> None:
    form = Form(
        key="in/${filename}",
        filename=filename,
        fields={"x-amz-meta-name": "${filename}"},
        uncovered=["key", "x-amz-meta-name"],
        conditions=[{"key": expanded}, ["starts-with", "$x-amz-meta-name", ""]],
    )
    assert edge.post(form).status_code == 204
    assert edge.stored() == {expanded: CONTENT}


def test_a_filename_cannot_climb_out_of_its_prefix(edge: Edge) -> None:
    form = Form(
        key="mine/${filename}", filename="../theirs/x", uncovered=["key"], conditions=[["starts-with", "$key", "mine/"]]
    )
    assert edge.post(form).status_code == 204
    assert list(edge.stored()) == ["mine/x"]


def test_stores_what_the_fields_say(edge: Edge) -> None:
    fields = {
        "Content-Type": "image/png",
        "Cache-Control": "no-store",
        "Content-Disposition": "inline",
        "x-amz-meta-COLOUR": "grün",
        "x-amz-storage-class": "STANDARD_IA",
        "tagging": "<Tagging><TagSet><Tag><Key>a b</Key><Value>1+2</Value></Tag></TagSet></Tagging>",
        "x-amz-checksum-sha256": b64encode(sha256(CONTENT).digest()).decode(),
    }
    assert edge.post(Form(fields=fields)).status_code == 204
    head = edge.s3.head_object(Bucket=UPLOADS, Key=Form().key, ChecksumMode="ENABLED")
    assert head["ContentType"] == "image/png"
    assert head["CacheControl"] == "no-store"
    assert head["ContentDisposition"] == "inline"
    assert head["Metadata"] == {"colour": "=?UTF-8?B?Z3LDvG4=?="}
    assert head["StorageClass"] == "STANDARD_IA"
    assert head["ChecksumSHA256"] == fields["x-amz-checksum-sha256"]
    tags = edge.s3.get_object_tagging(Bucket=UPLOADS, Key=Form().key)["TagSet"]
    assert tags == [{"Key": "a b", "Value": "1+2"}]


def test_the_type_of_the_files_own_part_is_not_looked_at(edge: Edge) -> None:
    fields = [part(name, value.encode()) for name, value in Form().sent_fields()]
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: text/html\r\n\r\nx\r\n'
    assert edge.post_body(closed([*fields, file.encode()])).status_code == 204
    assert edge.s3.head_object(Bucket=UPLOADS, Key=Form().key)["ContentType"] == "binary/octet-stream"


def test_a_large_file_arrives_whole(edge: Edge) -> None:
    file = bytes(range(256)) * 40_000
    assert edge.post(Form(file=file, conditions=[["content-length-range", 1, len(file)]])).status_code == 204
    assert edge.stored() == {Form().key: file}


def test_a_boundary_inside_the_file_is_no_boundary(edge: Edge) -> None:
    file = f"--{BOUNDARY}\r\n\r\n-{BOUNDARY}--\r\n--{BOUNDARY[:-1]}".encode()
    assert edge.post(Form(file=b"x" + file)).status_code == 204
    assert edge.stored() == {Form().key: b"x" + file}


@pytest.mark.parametrize(
    ("redirect", "start"),
    [
        ("https://app.example.com/done", "https://app.example.com/done?bucket="),
        ("https://app.example.com/done?a=b", "https://app.example.com/done?a=b&bucket="),
        ("/wrong/relative", None),
        ("ftp://app.example.com/", None),
        ("javascript:alert(1)", None),
        ("https://app.example.com/\r\nSet-Cookie: a=b", None),
    ],
)
def test_redirects(edge: Edge, redirect: str, start: str | None) -> None:
    response = edge.post(Form(fields={"success_action_redirect": redirect, "success_action_status": "200"}))
    if start is None:
        assert (response.status_code, response.headers["Location"]) == (200, LOCATION)
    else:
        assert response.status_code == 303
        assert response.headers["Location"].startswith(start)
        query = parse_qs(urlsplit(response.headers["Location"]).query)
        assert query["key"] == ["incoming/owner/upload"]
        assert query["etag"] == [ETAG]
        assert query["bucket"] == [UPLOADS]


READABLE = {
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Expose-Headers": "ETag, Location",
    "Access-Control-Allow-Credentials": "true",
    "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
}


@pytest.mark.parametrize(
    "form", [Form(), answer("201"), Form(secret="guessed"), Form(file_name="upload"), Form(file=b"", key="")]
)
def test_pages_of_allowed_origins_read_every_answer(edge: Edge, form: Form) -> None:
    response = edge.post(form)
    assert {name: response.headers.get(name) for name in READABLE} == READABLE


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://branch.preview.example.com", True),
        ("https://a.b.preview.example.com", True),
        ("https://preview.example.com", False),
        ("https://app.example.com.evil.example", False),
        ("https://APP.example.com", False),
        ("http://app.example.com", False),
        ("https://app-example.com", False),
        ("https://x.preview.example.com.evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_origins(edge: Edge, origin: str, *, allowed: bool) -> None:
    posted = edge.post(Form(), headers={"Origin": origin})
    asked = edge.client.options(f"/{UPLOADS}", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    for response in (posted, asked):
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert (posted.status_code, asked.status_code) == (204, 200 if allowed else 403)
    assert posted.headers["Vary"] == READABLE["Vary"]


def test_an_origin_that_may_not_read_can_still_be_refused(edge: Edge) -> None:
    response = edge.post(Form(secret="guessed"), headers={"Origin": "https://evil.example"})
    assert (response.status_code, document(response)["Code"]) == (403, "SignatureDoesNotMatch")
    assert not [name for name in response.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118


PREFLIGHTS: dict[str, tuple[dict[str, str], int, str]] = {
    "a form": ({"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}, 200, ""),
    "no origin": ({"Access-Control-Request-Method": "POST"}, 400, "BadRequest"),
    "no method": ({"Origin": ORIGIN}, 400, "BadRequest"),
    "a method that S3 has not": ({"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}, 400, "BadRequest"),
    "a method that no rule allows": (
        {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"},
        403,
        "AccessForbidden",
    ),
    "another origin": (
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
        403,
        "AccessForbidden",
    ),
    "a header that no rule allows": (
        {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"},
        403,
        "AccessForbidden",
    ),
}


@pytest.mark.parametrize(("headers", "status", "code"), PREFLIGHTS.values(), ids=PREFLIGHTS)
def test_preflights(edge: Edge, headers: dict[str, str], status: int, code: str) -> None:
    response = edge.client.options(f"/{UPLOADS}", headers=headers)
    assert response.status_code == status
    if status == 200:
        assert response.data == b""
        assert response.headers["Access-Control-Allow-Methods"] == "POST"
        assert response.headers["Access-Control-Max-Age"] == "600"
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    else:
        assert document(response)["Code"] == code
        assert "Access-Control-Allow-Origin" not in response.headers


STRANGERS = [
    ("GET", f"/{UPLOADS}", 403, "AccessDenied"),
    ("GET", f"/{UPLOADS}/", 403, "AccessDenied"),
    ("GET", f"/{UPLOADS}/incoming/owner/upload", 403, "AccessDenied"),
    ("PUT", f"/{UPLOADS}/incoming/owner/upload", 403, "AccessDenied"),
    ("DELETE", f"/{UPLOADS}/incoming/owner/upload", 403, "AccessDenied"),
    ("DELETE", f"/{UPLOADS}", 403, "AccessDenied"),
    ("POST", f"/{UPLOADS}?delete", 403, "AccessDenied"),
    ("POST", f"/{UPLOADS}/incoming/owner/upload", 405, "MethodNotAllowed"),
    ("POST", f"/{MEDIA}", 403, "AccessDenied"),
    ("GET", f"/{MEDIA}/media/upload/thumb-digest.webp", 403, "AccessDenied"),
    ("OPTIONS", f"/{MEDIA}", 403, "AccessDenied"),
    ("GET", "/", 403, "AccessDenied"),
    ("GET", "//", 403, "AccessDenied"),
    ("POST", "/nowhere", 403, "AccessDenied"),
    ("GET", "/moto-api/data.json", 403, "AccessDenied"),
    ("POST", "/media/upload", 403, "AccessDenied"),
]


@pytest.mark.parametrize(("method", "path", "status", "code"), STRANGERS)
def test_strangers(edge: Edge, method: str, path: str, status: int, code: str) -> None:
    edge.s3.put_object(Bucket=UPLOADS, Key=Form().key, Body=b"an original")
    response = edge.client.open(path, method=method)
    assert (response.status_code, document(response)["Code"]) == (status, code)
    assert b"an original" not in response.data
    assert edge.stored() == {Form().key: b"an original"}


def test_head_of_an_upload_is_denied_without_a_word(edge: Edge) -> None:
    response = edge.client.head(f"/{UPLOADS}/incoming/owner/upload")
    assert (response.status_code, response.data) == (403, b"")


@pytest.mark.parametrize("length", [None, "", "-1", "many"])
def test_a_form_says_how_long_it_is(edge: Edge, length: str | None) -> None:
    response = edge.post_stream(BytesIO(Form().body()), length)
    assert response.status_code in (400, 411)
    assert edge.stored() == {}


class Unending:
    """A body that counts how much of it was read."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def read(self, size: int, /) -> bytes:
        self.read_bytes += size
        return bytes(size)


def test_a_body_longer_than_anything_is_not_read(edge: Edge) -> None:
    body = Unending()
    response = edge.post_stream(body, str(10**15))
    assert document(response)["Code"] == "EntityTooLarge"
    assert response.headers["Connection"] == "close"
    assert body.read_bytes <= 1024**3 + 65_536


def test_a_refused_body_is_read_to_its_end_so_that_the_browser_hears_why(edge: Edge) -> None:
    body = BytesIO(Form(secret="guessed", file=bytes(300_000)).body() + b"the next request")
    size = len(body.getvalue()) - len(b"the next request")
    response = edge.post_stream(body, str(size))
    assert document(response)["Code"] == "SignatureDoesNotMatch"
    assert "Connection" not in response.headers
    assert body.read() == b"the next request"


def test_a_client_that_hangs_up_stores_nothing(edge: Edge) -> None:
    class HungUp:
        def read(self, size: int, /) -> bytes:
            raise ConnectionResetError

    response = edge.post_stream(HungUp(), "100")
    assert document(response)["Code"] == "IncompleteBody"
    assert response.headers["Connection"] == "close"


def test_a_store_that_is_not_there_is_not_the_forms_fault(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(edge.s3, "put_object", gone)
    response = edge.post(Form())
    assert (response.status_code, document(response)["Code"]) == (503, "ServiceUnavailable")
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_a_bucket_without_cors_is_for_no_page(edge: Edge) -> None:
    app = create_app(
        s3=edge.s3,
        uploads_bucket=MEDIA,
        media_bucket=MEDIA,
        credentials={},
        region="eu-central-1",
        public_url=PUBLIC_URL,
        media_headers={},
    )
    client = type(edge.client)(app)
    response = client.options(f"/{MEDIA}", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert (response.status_code, document(response)["Code"]) == (403, "AccessForbidden")
    assert "not enabled" in document(response)["Message"]


PICTURE = "/media/upload/thumb-digest.webp"


def test_media_is_served_with_its_own_headers_and_the_policys(edge: Edge) -> None:
    response = edge.client.get(PICTURE)
    assert (response.status_code, response.data) == (200, b"a picture")
    expected = {
        "Content-Type": "image/webp",
        "Content-Length": "9",
        "ETag": f'"{md5(b"a picture", usedforsecurity=False).hexdigest()}"',
        "Cache-Control": "public, max-age=31536000, immutable",
        **MEDIA_HEADERS,
    }
    assert {name: response.headers.get(name) for name in expected} == expected
    head = edge.client.head(PICTURE)
    assert (head.status_code, head.data) == (200, b"")
    assert {name: head.headers.get(name) for name in expected} == expected


def test_media_that_is_known_is_not_sent_again(edge: Edge) -> None:
    etag = edge.client.get(PICTURE).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = edge.client.get(PICTURE, headers={"If-None-Match": known})
        assert (response.status_code, response.data) == (304, b"")
        assert response.headers["ETag"] == etag
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert edge.client.get(PICTURE, headers={"If-None-Match": '"other"'}).data == b"a picture"


@pytest.mark.parametrize(
    "path",
    [
        "/media/upload/unknown.webp",
        "/media/upload/",
        "/media/upload",
        "/media/",
        "/media",
        "/media/../private/secret",
        "/media/upload/../../private/secret",
        "/media/%2e%2e/private/secret",
        "/media/..%2fprivate/secret",
        "/media//upload/thumb-digest.webp",
        "/media/upload/thumb-digest.webp%00",
        "/media/upload/thumb-digest.webp%0a",
        "/media/%ff",
        "/private/secret",
        "/media/upload/thumb-digest.webp/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_media_that_is_not_there_is_denied(edge: Edge, path: str, method: str) -> None:
    response = edge.client.open(path, method=method)
    assert response.status_code == 403
    assert b"not served" not in response.data
    if path.startswith("/media/"):
        assert {name: response.headers.get(name) for name in MEDIA_HEADERS} == MEDIA_HEADERS


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_media_can_only_be_read(edge: Edge, method: str) -> None:
    assert edge.client.open(PICTURE, method=method).status_code == 403
    assert edge.client.get(PICTURE).data == b"a picture"
