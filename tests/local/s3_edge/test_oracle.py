"""S3's answer to a browser's POST: one row per case with its status, error code and message."""

from base64 import b64encode
from hashlib import sha256

import pytest

from tests.local.s3_edge.conftest import Edge, document
from tests.local.s3_edge.forms import BOUNDARY, CONTENT, UPLOADS, Form, closed, expiry, part

SHA256 = b64encode(sha256(CONTENT).digest()).decode()
CHECKSUM = "x-amz-checksum-sha256"
TYPE = "Content-Type"
IMAGES = ["starts-with", "$Content-Type", "image/"]
SIGNATURE = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
DENIED = (403, "AccessDenied")
MISMATCH = (403, "SignatureDoesNotMatch")
ARGUMENT = (400, "InvalidArgument")
POLICY = (400, "InvalidPolicyDocument")


def typed(value: str, *conditions: object) -> Form:
    """Return a form whose content type has only these conditions."""
    return Form(fields={TYPE: value}, uncovered=[TYPE], conditions=conditions)


def sized(smallest: object, largest: object, file: bytes = CONTENT) -> Form:
    """Return a form with a size range."""
    return Form(file=file, conditions=[["content-length-range", smallest, largest]])


ACCEPTED: dict[str, Form] = {
    "plain form": Form(),
    "eq as an object": Form(fields={TYPE: "image/png"}),
    "eq as a list": typed("image/png", ["eq", "$Content-Type", "image/png"]),
    "two conditions on one field": Form(fields={TYPE: "image/png"}, conditions=[IMAGES]),
    "field names in another case": typed("image/png", ["eq", "$CONTENT-type", "image/png"]),
    "prefix": typed("image/png", IMAGES),
    "empty prefix, field present": typed("text/html", ["starts-with", "$Content-Type", ""]),
    "x-ignore fields without conditions": Form(before=[("x-ignore-a", "1"), ("X-Ignore-B", "2")]),
    "fields after the file": Form(after=[("key", "other"), ("acl", "no acl"), ("submit", "1")]),
    "bucket field, as one SDK sends": Form(before=[("bucket", UPLOADS)]),
    "exact moment of expiry": Form(expiration=expiry(0)),
    "expiry without a fraction": Form(expiration="2026-03-04T05:07:07Z"),
    "smallest size": sized(len(CONTENT), 1000),
    "largest size": sized(0, len(CONTENT)),
    "empty file": Form(file=b""),
    "correct SHA-256": Form(fields={CHECKSUM: SHA256}),
    "field with a filename is not the file": Form(before=[('x-ignore-"; filename="f', "1")]),
    "file field in capitals": Form(file_name="FILE"),
}

REFUSED: dict[str, tuple[Form, tuple[int, str], str]] = {
    # conditions
    "eq, other value": (Form(conditions=[["eq", "$key", "k"]]), DENIED, 'Policy Condition failed: ["eq", "$key", "k"]'),
    "eq, other case of the value": (typed("IMAGE/PNG", {TYPE: "image/png"}), DENIED, "Policy Condition failed"),
    "eq is no prefix": (typed("image/png,text/html", {TYPE: "image/png"}), DENIED, "Policy Condition failed"),
    "key changed": (Form(change={"key": "incoming/owner/other"}), DENIED, 'failed: ["eq", "$key"'),
    "key extended": (Form(change={"key": "incoming/owner/upload/../x"}), DENIED, 'failed: ["eq", "$key"'),
    "key twice": (Form(before=[("key", "incoming/owner/upload")]), DENIED, 'failed: ["eq", "$key"'),
    "type changed": (Form(fields={TYPE: "image/png"}, change={TYPE: "text/html"}), DENIED, "image/png"),
    "type removed": (Form(fields={TYPE: "image/png"}, change={TYPE: None}), DENIED, "image/png"),
    "checksum removed": (Form(fields={CHECKSUM: SHA256}, change={CHECKSUM: None}), DENIED, CHECKSUM),
    "value without the prefix": (typed("text/html", IMAGES), DENIED, 'failed: ["starts-with", "$Content-Type"'),
    "prefix in another case": (typed("IMAGE/png", IMAGES), DENIED, 'failed: ["starts-with", "$Content-Type"'),
    "empty prefix, field absent": (Form(conditions=[["starts-with", "$acl", ""]]), DENIED, '"$acl", ""]'),
    "policy of another bucket": (Form(bucket="other"), DENIED, '["eq", "$bucket", "other"]'),
    "another bucket named by a field": (
        Form(bucket="other", before=[("bucket", "other")]),
        DENIED,
        '["eq", "$bucket", "other"]',
    ),
    # fields without a condition
    "ACL added": (Form(before=[("acl", "public-read")]), DENIED, "Extra input fields: acl"),
    "redirect added": (
        Form(before=[("success_action_redirect", "https://evil.example")]),
        DENIED,
        "Invalid according to Policy: Extra input fields: success_action_redirect",
    ),
    "metadata added": (Form(before=[("x-amz-meta-a", "1")]), DENIED, "Extra input fields: x-amz-meta-a"),
    "content type added": (Form(before=[(TYPE, "text/html")]), DENIED, "Extra input fields: Content-Type"),
    "checksum added": (Form(before=[(CHECKSUM, SHA256)]), DENIED, f"Extra input fields: {CHECKSUM}"),
    "field without a name": (Form(before=[("", "1")]), DENIED, "Extra input fields: "),
    "policy without the bucket": (Form(uncovered=["bucket"]), DENIED, "Extra input fields: bucket"),
    "policy without the key": (Form(uncovered=["key"]), DENIED, "Extra input fields: key"),
    # time
    "expired a microsecond ago": (Form(expiration=expiry(-0.000001)), DENIED, "Policy expired."),
    "expired, and a condition fails": (
        Form(expiration=expiry(-1), conditions=[{"key": "k"}]),
        DENIED,
        "Invalid according to Policy: Policy expired.",
    ),
    # size
    "one byte too few": (sized(11, 99), (400, "EntityTooSmall"), "smaller than the minimum"),
    "one byte too many": (sized(1, 9), (400, "EntityTooLarge"), "exceeds the maximum"),
    "empty file where one byte is required": (sized(1, 9, b""), (400, "EntityTooSmall"), "smaller than the minimum"),
    "too large, and another key": (
        Form(change={"key": "other"}, conditions=[["content-length-range", 1, 9]]),
        DENIED,
        "Policy Condition failed",
    ),
    # policy document
    "not base64": (Form(encoded="{policy}"), POLICY, "Invalid Policy"),
    "empty policy": (Form(encoded=""), POLICY, "Invalid Policy"),
    "not an object": (Form(document=[]), POLICY, "Invalid Policy"),
    "deep nesting": (Form(document="[" * 12_000), POLICY, "Invalid Policy"),
    "no conditions": (Form(document={"expiration": expiry(300)}), POLICY, "Invalid Policy"),
    "EXPIRATION": (Form(document={"EXPIRATION": expiry(300), "conditions": []}), POLICY, "Invalid Policy"),
    "expiry with an offset": (Form(expiration="2026-03-04T06:07:07+01:00"), POLICY, "Invalid 'expiration' value"),
    "expiry without a zone": (Form(expiration="2026-03-04T05:07:07"), POLICY, "Invalid 'expiration' value"),
    "expiry as a number": (Form(expiration=1_800_000_000), POLICY, "Invalid Policy"),
    "object of two properties": (Form(conditions=[{"acl": "a", "key": "k"}]), POLICY, "Invalid Condition"),
    "number as a value": (Form(conditions=[{"Content-Length": 5}]), POLICY, "Invalid Condition"),
    "unknown operation": (Form(conditions=[["ends-with", "$key", ""]]), POLICY, "Invalid Condition"),
    "field without a dollar": (Form(conditions=[["eq", "key", "k"]]), POLICY, "Invalid Condition"),
    "range of one bound": (Form(conditions=[["content-length-range", 0]]), POLICY, "Invalid Condition"),
    "negative bound": (sized(-1, 9), POLICY, "Invalid Condition"),
    # signature and credential
    "other secret": (Form(secret="guessed"), MISMATCH, "does not match the signature you provided"),
    "unsigned policy, not base64": (Form(change={"policy": "{policy}"}), MISMATCH, "does not match"),
    "signature in capitals": (Form(change={"x-amz-signature": "A" * 64}), MISMATCH, "does not match"),
    "signature not ASCII": (Form(change={"x-amz-signature": "é" * 64}), MISMATCH, "does not match"),
    "policy twice": (Form(before=[("policy", "e30=")]), MISMATCH, "does not match"),
    "unknown access key": (Form(access_key="AKIAUNKNOWN"), (403, "InvalidAccessKeyId"), "does not exist"),
    "other region": (Form(region="us-east-1"), ARGUMENT, 'expecting "<YOUR-AKID>/20260304/eu-central-1/s3/'),
    "date in another format": (Form(change={"x-amz-date": "2026-03-04T05:05:07Z"}), ARGUMENT, "ISO8601 Long format"),
    "other algorithm": (Form(change={"x-amz-algorithm": "AWS4-HMAC-SHA1"}), ARGUMENT, "X-Amz-Algorithm"),
    "session token of a lasting key": (Form(token="t"), (400, "InvalidToken"), "malformed or otherwise invalid"),
    # required fields
    "no key": (Form(change={"key": None}), ARGUMENT, "must contain a field named 'key'.  If it is specified"),
    "no policy": (Form(change={"policy": None}), ARGUMENT, "must contain a field named 'policy'"),
    "no signature": (Form(change={"x-amz-signature": None}), ARGUMENT, "must contain a field named 'X-Amz-Signature'"),
    "no date": (Form(change={"x-amz-date": None}), ARGUMENT, "must contain a field named 'X-Amz-Date'"),
    "anonymous": (Form(change=dict.fromkeys(["policy", *SIGNATURE])), DENIED, "Access Denied"),
    "policy without signature": (Form(change=dict.fromkeys(SIGNATURE)), DENIED, "Access Denied"),
    "key after the file": (Form(change={"key": None}, after=[("key", "k")]), ARGUMENT, "a field named 'key'"),
    # the object
    "empty key": (Form(key=""), ARGUMENT, "User key must have a length greater than 0."),
    "SHA-256 of other bytes": (
        Form(fields={CHECKSUM: SHA256}, file=b"9876543210"),
        (400, "BadDigest"),
        "The SHA256 you specified did not match",
    ),
    "malformed SHA-256": (Form(fields={CHECKSUM: "none"}), (400, "InvalidRequest"), "header is invalid."),
    "line break in a header": (Form(fields={TYPE: "image/png\r\nx: y"}), ARGUMENT, "not a valid header"),
    "field that no policy here signs": (
        Form(fields={"acl": "private"}),
        (501, "NotImplemented"),
        "does not implement the field acl",
    ),
    # the form
    "two files": (Form(after=[("file", "x")]), ARGUMENT, "POST requires exactly one file upload per request."),
    "no file": (Form(file_name="upload"), ARGUMENT, "POST requires exactly one file upload per request."),
    "more than 20 KB of fields": (
        Form(before=[("x-ignore-a", "x" * 20_000)]),
        (400, "MaxPostPreDataLengthExceeded"),
        "fields preceeding the upload file was too large",
    ),
    "a thousand parts after the file": (Form(after=[("x", "")] * 1001), (400, "MalformedPOSTRequest"), "well-formed"),
}

BODIES: dict[str, tuple[bytes, str | None, tuple[int, str]]] = {
    "url-encoded": (b"key=k", "application/x-www-form-urlencoded", (412, "PreconditionFailed")),
    "another multipart type": (Form().body(), f"multipart/mixed; boundary={BOUNDARY}", (412, "PreconditionFailed")),
    "no boundary": (Form().body(), "multipart/form-data", (400, "MalformedPOSTRequest")),
    "another boundary": (Form().body(), "multipart/form-data; boundary=other", (400, "MalformedPOSTRequest")),
    "no parts": (closed([]), None, (400, "InvalidArgument")),
    "no closing boundary": (Form().body()[:-6], None, (400, "MalformedPOSTRequest")),
    "cut within the file": (Form(file=bytes(100_000)).body()[:50_000], None, (400, "MalformedPOSTRequest")),
    "field that is not UTF-8": (closed([part("key", b"\xff")]), None, (400, "MalformedPOSTRequest")),
}


@pytest.mark.parametrize("form", ACCEPTED.values(), ids=ACCEPTED)
def test_form_is_accepted(edge: Edge, form: Form) -> None:
    response = edge.post(form)
    assert (response.status_code, response.data) == (204, b"")
    assert edge.stored() == {form.key: form.file}


@pytest.mark.parametrize(("form", "expected", "message"), REFUSED.values(), ids=REFUSED)
def test_form_is_refused_and_nothing_is_stored(edge: Edge, form: Form, expected: tuple[int, str], message: str) -> None:
    response = edge.post(form)
    error = document(response)
    assert (response.status_code, error["Code"]) == expected
    assert message in error["Message"]
    assert error[""] == "Error"
    assert error["RequestId"] == response.headers["x-amz-request-id"]
    assert edge.stored() == {}


@pytest.mark.parametrize(("body", "content_type", "expected"), BODIES.values(), ids=BODIES)
def test_malformed_body_is_refused(
    edge: Edge, body: bytes, content_type: str | None, expected: tuple[int, str]
) -> None:
    response = edge.post_body(body, content_type)
    assert (response.status_code, document(response)["Code"]) == expected
    assert edge.stored() == {}


@pytest.mark.parametrize(
    ("filename", "expanded"),
    [("photo.png", "in/photo.png"), ("C:\\folder\\photo.png", "in/photo.png"), ("../theirs/x", "in/x")],
)
def test_filename_is_replaced_before_conditions_are_checked(edge: Edge, filename: str, expanded: str) -> None:
    form = Form(key="in/${filename}", filename=filename, uncovered=["key"], conditions=[{"key": expanded}])
    assert edge.post(form).status_code == 204
    assert edge.stored() == {expanded: CONTENT}


def test_oracle_has_at_least_sixty_rows() -> None:
    rows = len(ACCEPTED) + len(REFUSED) + len(BODIES)
    assert rows >= 60
