"""The answers besides refusals of forms: success, CORS, media, and other requests."""

from hashlib import md5
from io import BytesIO

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.wsgi import LimitedStream

from tests.local.s3_edge.conftest import MEDIA_HEADERS, Edge, document
from tests.local.s3_edge.forms import BOUNDARY, CONTENT, MEDIA, ORIGIN, PUBLIC_URL, UPLOADS, Form
from tools.local.s3_edge import form as form_module

ETAG = f'"{md5(CONTENT, usedforsecurity=False).hexdigest()}"'
LOCATION = f"{PUBLIC_URL}/{UPLOADS}/incoming%2Fowner%2Fupload"
READABLE = {"Access-Control-Allow-Origin": ORIGIN, "Access-Control-Expose-Headers": "ETag, Location"}
PICTURE = "/media/upload/thumb-digest.webp"
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)


@pytest.mark.parametrize(("asked", "status"), [("200", 200), ("201", 201), ("204", 204), ("302", 204), (None, 204)])
def test_success_status_is_the_one_asked_for(edge: Edge, asked: str | None, status: int) -> None:
    response = edge.post(Form(fields={"success_action_status": asked} if asked else {}))
    assert response.status_code == status
    assert (response.headers["ETag"], response.headers["Location"]) == (ETAG, LOCATION)
    if status == 201:
        assert document(response) == {
            "": "PostResponse",
            "Location": LOCATION,
            "Bucket": UPLOADS,
            "Key": "incoming/owner/upload",
            "ETag": ETAG,
        }
    else:
        assert response.data == b""


def test_content_type_and_checksum_are_stored(edge: Edge) -> None:
    assert edge.post(Form(fields={"Content-Type": "image/png"})).status_code == 204
    assert edge.s3.head_object(Bucket=UPLOADS, Key=Form().key)["ContentType"] == "image/png"


def test_boundary_inside_the_file_is_data(edge: Edge) -> None:
    file = f"x--{BOUNDARY}\r\n\r\n-{BOUNDARY}--\r\n--{BOUNDARY[:-1]}".encode() + bytes(300_000)
    assert edge.post(Form(file=file)).status_code == 204
    assert edge.stored() == {Form().key: file}


def test_file_over_the_policys_limit_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch, edge: Edge) -> None:
    kept: list[int] = []

    class Counting(BytesIO):
        def write(self, data: object, /) -> int:
            kept.append(len(bytes(data)))  # type: ignore[call-overload]
            return super().write(data)  # type: ignore[arg-type]

    monkeypatch.setattr(form_module, "BytesIO", Counting)
    limited = Form(file=bytes(5_000_000), conditions=[["content-length-range", 1, 100_000]])
    error = document(edge.post(limited))
    assert (error["Code"], error["ProposedSize"], error["MaxSizeAllowed"]) == ("EntityTooLarge", "5000000", "100000")
    assert sum(kept) <= 100_000


@pytest.mark.parametrize("form", [Form(), Form(secret="guessed"), Form(file_name="upload")])
def test_allowed_origin_can_read_every_answer(edge: Edge, form: Form) -> None:
    response = edge.post(form)
    assert {name: response.headers.get(name) for name in READABLE} == READABLE
    assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://branch.preview.example.com", True),
        ("https://preview.example.com", False),
        ("https://app.example.com.evil.example", False),
        ("http://app.example.com", False),
        ("null", False),
    ],
)
def test_cors_answers_follow_the_buckets_rules(edge: Edge, origin: str, allowed: bool) -> None:
    posted = edge.post(Form(), origin)
    preflight = edge.client.options(f"/{UPLOADS}", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    for response in (posted, preflight):
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert (posted.status_code, preflight.status_code) == (204, 200 if allowed else 403)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Access-Control-Request-Method": "POST"}, 200),
        ({"Access-Control-Request-Method": "PUT"}, 403),
        ({"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"}, 403),
        ({}, 403),
    ],
)
def test_preflight_allows_only_what_the_rules_allow(edge: Edge, headers: dict[str, str], status: int) -> None:
    response = edge.client.options(f"/{UPLOADS}", headers={"Origin": ORIGIN, **headers})
    assert response.status_code == status
    if status == 200:
        assert response.headers["Access-Control-Allow-Methods"] == "POST"
        assert response.headers["Access-Control-Max-Age"] == "600"
    else:
        assert document(response)["Code"] == "AccessForbidden"
        assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/{UPLOADS}"),
        ("GET", f"/{UPLOADS}/incoming/owner/upload"),
        ("PUT", f"/{UPLOADS}/incoming/owner/upload"),
        ("DELETE", f"/{UPLOADS}/incoming/owner/upload"),
        ("POST", f"/{UPLOADS}?delete"),
        ("POST", f"/{MEDIA}"),
        ("GET", f"/{MEDIA}/media/upload/thumb-digest.webp"),
        ("GET", "/"),
        ("GET", "/moto-api/data.json"),
        ("POST", PICTURE),
        ("DELETE", PICTURE),
    ],
)
def test_other_requests_are_denied(edge: Edge, method: str, path: str) -> None:
    edge.s3.put_object(Bucket=UPLOADS, Key=Form().key, Body=b"an original")
    response = edge.client.open(path, method=method)
    assert (response.status_code, document(response)["Code"]) == (403, "AccessDenied")
    assert edge.stored() == {Form().key: b"an original"}


def test_body_without_length_is_refused(edge: Edge) -> None:
    chunked = {"wsgi.input": BytesIO(Form().body()), "wsgi.input_terminated": True}
    response = edge.client.post(f"/{UPLOADS}", environ_overrides=chunked)
    assert (response.status_code, document(response)["Code"]) == (411, "MissingContentLength")


def test_body_over_the_limit_is_refused_unread(edge: Edge) -> None:
    body = BytesIO(b"x")
    response = edge.client.post(f"/{UPLOADS}", environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(10**15)})
    assert document(response)["Code"] == "EntityTooLarge"
    assert body.tell() == 0


def test_incomplete_body_stores_nothing(edge: Edge) -> None:
    cut = LimitedStream(BytesIO(Form().body()[:-100]), len(Form().body()))
    environ = {"wsgi.input": cut, "CONTENT_LENGTH": str(len(Form().body()))}
    response = edge.client.post(
        f"/{UPLOADS}", content_type=f"multipart/form-data; boundary={BOUNDARY}", environ_overrides=environ
    )
    assert document(response)["Code"] == "IncompleteBody"
    assert edge.stored() == {}


def test_unreachable_storage_is_503(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(edge.s3, "put_object", fail)
    response = edge.post(Form())
    assert (response.status_code, document(response)["Code"]) == (503, "ServiceUnavailable")
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_media_is_served_with_object_and_policy_headers(edge: Edge) -> None:
    expected = {
        "Content-Type": "image/webp",
        "Content-Length": "9",
        "ETag": f'"{md5(b"a picture", usedforsecurity=False).hexdigest()}"',
        "Cache-Control": "public, max-age=31536000, immutable",
        **MEDIA_HEADERS,
    }
    for method, body in (("GET", b"a picture"), ("HEAD", b"")):
        response = edge.client.open(PICTURE, method=method)
        assert (response.status_code, response.data) == (200, body)
        assert {name: response.headers.get(name) for name in expected} == expected
    cached = edge.client.get(PICTURE, headers={"If-None-Match": expected["ETag"]})
    assert (cached.status_code, cached.data) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/media/upload/unknown.webp",
        "/media/upload/",
        "/media/../private/secret",
        "/media/%2e%2e/private/secret",
        "/media/..%2fprivate/secret",
        "/media//upload/thumb-digest.webp",
        "/media/upload/thumb-digest.webp%00",
        "/media/%ff",
        "/private/secret",
    ],
)
def test_unknown_media_is_denied(edge: Edge, path: str) -> None:
    response = edge.client.get(path)
    assert response.status_code == 403
    assert b"not served" not in response.data


@given(
    body=st.binary(max_size=400), content_type=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)
)
@FUZZ
def test_random_body_is_refused(edge: Edge, body: bytes, content_type: str) -> None:
    response = edge.post_body(body, content_type or "text/plain")
    assert 400 <= response.status_code < 500
    assert edge.stored() == {}


@given(data=st.data())
@FUZZ
def test_form_with_changed_bytes_stores_at_most_its_own_key(edge: Edge, data: st.DataObject) -> None:
    good = Form(fields={"Content-Type": "image/png"}, conditions=[["content-length-range", 1, 100]])
    body = good.body()
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 20)))
    splices = st.sampled_from([b"\r\n", b"--", f"\r\n--{BOUNDARY}--".encode(), b"\0", b'"', b";"])
    response = edge.post_body(body[:start] + data.draw(splices | st.binary(max_size=20)) + body[end:])
    assert 200 <= response.status_code < 500
    assert set(edge.stored()) <= {good.key}
