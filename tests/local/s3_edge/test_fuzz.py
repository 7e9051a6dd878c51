"""Whatever bytes come: an answer, never an exception, never a 5xx, and nothing stored that was not granted."""

from base64 import b64encode

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.local.s3_edge.conftest import Edge
from tests.local.s3_edge.forms import BOUNDARY, UPLOADS, Form, closed, part, sign

FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, database=None)
"""The edge is one and the same for all examples; that is what is being tried."""

GOOD = Form(fields={"Content-Type": "image/png"}, conditions=[["content-length-range", 1, 100]])
NAMES = st.sampled_from(
    [
        *GOOD.signed_fields(),
        "acl",
        "tagging",
        "file",
        "bucket",
        "redirect",
        "x-amz-security-token",
        "x-amz-checksum-sha256",
        "x-amz-checksum-algorithm",
        "x-amz-storage-class",
        "x-amz-meta-",
        "Content-MD5",
        "x-ignore-x",
    ]
)
SPLICES = st.sampled_from(
    [b"\r\n", b"\r", b"\n", b"--", f"--{BOUNDARY}".encode(), f"\r\n--{BOUNDARY}--".encode(), b"\0", b'"', b";", b": "]
)


@given(body=st.binary(max_size=400), content_type=st.text(st.characters(max_codepoint=255), max_size=80))
@example(body=b"", content_type="multipart/form-data; boundary=")
@example(body=b"--\r\n", content_type='multipart/form-data; boundary="\n"')
@FUZZ
def test_any_bytes_of_any_type(edge: Edge, body: bytes, content_type: str) -> None:
    response = edge.post_body(body, content_type=content_type)
    assert 400 <= response.status_code < 500
    assert edge.stored() == {}


@given(body=st.binary(max_size=200), path=st.text(st.characters(max_codepoint=255), max_size=40), data=st.data())
@FUZZ
def test_any_request(edge: Edge, body: bytes, path: str, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "PATCH", "TRACE"]))
    start = data.draw(st.sampled_from(["/", "/media/", f"/{UPLOADS}/", f"/{UPLOADS}?"]))
    response = edge.client.open(
        method=method, environ_overrides={"PATH_INFO": start + path, "QUERY_STRING": path}, data=body or None
    )
    assert 400 <= response.status_code < 500
    assert edge.stored() == {}


@given(data=st.data())
@FUZZ
def test_a_form_that_bytes_were_changed_in(edge: Edge, data: st.DataObject) -> None:
    body = GOOD.body()
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(len(body), start + 20)))
    changed = body[:start] + data.draw(SPLICES | st.binary(max_size=20)) + body[end:]
    response = edge.post_body(changed)
    assert 200 <= response.status_code < 500
    stored = edge.stored()
    assert set(stored) <= {GOOD.key}
    assert all(1 <= len(content) <= 100 for content in stored.values())


@given(fields=st.lists(st.tuples(NAMES | st.text(max_size=20), st.text(max_size=60)), max_size=6))
@FUZZ
def test_a_form_with_any_fields_in_front(edge: Edge, fields: list[tuple[str, str]]) -> None:
    quoted = [(name.replace('"', "%22").replace("\r", "").replace("\n", ""), value) for name, value in fields]
    response = edge.post_body(Form(fields=GOOD.fields, before=quoted).body())
    assert 200 <= response.status_code < 500
    assert set(edge.stored()) <= {GOOD.key}


@given(values=st.dictionaries(NAMES.filter(lambda name: name != "file"), st.text(max_size=80), min_size=1, max_size=6))
@FUZZ
def test_a_form_whose_signer_granted_anything(edge: Edge, values: dict[str, str]) -> None:
    scope = {name: value for name, value in values.items() if name not in ("policy", "x-amz-signature")}
    response = edge.post(Form(fields={**GOOD.fields, **{k: v for k, v in scope.items() if k != "key"}}))
    assert 200 <= response.status_code < 500


@given(key=st.text(min_size=1, max_size=60))
@FUZZ
def test_a_form_for_any_key(edge: Edge, key: str) -> None:
    response = edge.post(Form(key=key))
    assert 200 <= response.status_code < 500


@given(policy=st.binary(max_size=200), raw=st.booleans())
@FUZZ
def test_any_policy_that_was_signed(edge: Edge, policy: bytes, *, raw: bool) -> None:
    text = policy.decode("latin-1") if raw else b64encode(policy).decode()
    text = text.replace("\r", "").replace("\n", "")
    fields = {**Form().signed_fields(), "policy": text, "x-amz-signature": sign(text)}
    parts = [part(name, value.encode()) for name, value in fields.items()]
    response = edge.post_body(closed([*parts, part("file", b"x", "x")]))
    assert 400 <= response.status_code < 500
    assert edge.stored() == {}
