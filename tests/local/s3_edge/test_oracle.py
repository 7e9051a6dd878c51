"""What S3 answers to a browser's POST, row by row: the status, the code and the words, and that nothing was stored."""

import json
from base64 import b64encode
from hashlib import md5, sha1, sha256
from zlib import crc32

import pytest

from tests.assurance import Note
from tests.local.s3_edge.conftest import Edge, document
from tests.local.s3_edge.forms import (
    BOUNDARY,
    CONTENT,
    TEMPORARY_KEY,
    TOKEN,
    UPLOADS,
    Form,
    closed,
    expiry,
    part,
)

pytestmark = pytest.mark.campaign("F-10")

GOOD_EXPIRY = expiry(300)


def b64(value: bytes) -> str:
    """As checksums and policies travel."""
    return b64encode(value).decode()


SHA256 = b64(sha256(CONTENT).digest())
CHECKSUM = "x-amz-checksum-sha256"
ALGORITHM = "x-amz-checksum-algorithm"
TYPE = "Content-Type"
EQ_KEY = {"key": "k"}
IMAGES = ["starts-with", "$Content-Type", "image/"]
TAGS = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
SIGNATURE = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
DENIED = (403, "AccessDenied")
MISMATCH = (403, "SignatureDoesNotMatch")
ARGUMENT = (400, "InvalidArgument")
POLICY = (400, "InvalidPolicyDocument")
REQUEST = (400, "InvalidRequest")


def only(*conditions: object) -> dict[str, object]:
    """A whole policy document."""
    return {"expiration": GOOD_EXPIRY, "conditions": list(conditions)}


def typed(value: str, *conditions: object) -> Form:
    """A form whose content type is held only by these conditions."""
    return Form(fields={TYPE: value}, uncovered=[TYPE], conditions=conditions)


ACCEPTED: dict[str, Form] = {
    "nothing special": Form(),
    "eq as an object": Form(fields={TYPE: "image/png"}),
    "eq as a list": typed("image/png", ["eq", "$Content-Type", "image/png"]),
    "two conditions on one field": Form(fields={TYPE: "image/png"}, conditions=[IMAGES]),
    "names of fields and conditions in another case": Form(
        fields={"content-TYPE": "image/png"},
        uncovered=["content-TYPE"],
        conditions=[["eq", "$CONTENT-type", "image/png"]],
    ),
    "operations in another case": typed("image/png", ["StArTs-WiTh", "$Content-Type", "image/"]),
    "a prefix": typed("image/png", IMAGES),
    "an empty prefix, the field there": typed("text/html", ["starts-with", "$Content-Type", ""]),
    "a list of types, each with the prefix": typed("image/png,image/gif, image/webp", IMAGES),
    "a comma in a field that is no type": Form(
        fields={"x-amz-meta-a": "x,y"}, uncovered=["x-amz-meta-a"], conditions=[["starts-with", "$x-amz-meta-a", "x"]]
    ),
    "x-ignore fields without conditions": Form(before=[("x-ignore-a", "1"), ("X-Ignore-B", "2")]),
    "fields after the file, whatever they say": Form(after=[("key", "other"), ("acl", "no acl"), ("submit", "1")]),
    "a bucket field, as one SDK sends": Form(before=[("bucket", UPLOADS)]),
    "one microsecond before the expiry": Form(expiration=expiry(0.000001)),
    "the very moment of expiry": Form(expiration=expiry(0)),
    "an expiry without a fraction": Form(expiration="2026-03-04T05:07:07Z"),
    "an expiry in milliseconds": Form(expiration="2026-03-04T05:07:07.123Z"),
    "the smallest size": Form(conditions=[["content-length-range", len(CONTENT), 1000]]),
    "the largest size": Form(conditions=[["content-length-range", 0, len(CONTENT)]]),
    "sizes as text": Form(conditions=[["content-length-range", "1", "1000"]]),
    "an empty file": Form(file=b""),
    "a SHA-256 of these bytes": Form(fields={CHECKSUM: SHA256}),
    "a SHA-256 and its algorithm's name": Form(fields={ALGORITHM: "SHA256", CHECKSUM: SHA256}),
    "a SHA-1 of these bytes": Form(fields={"x-amz-checksum-sha1": b64(sha1(CONTENT, usedforsecurity=False).digest())}),
    "a CRC of these bytes": Form(fields={"x-amz-checksum-crc32": b64(crc32(CONTENT).to_bytes(4))}),
    "a Content-MD5 of these bytes": Form(fields={"Content-MD5": b64(md5(CONTENT, usedforsecurity=False).digest())}),
    "a storage class": Form(fields={"x-amz-storage-class": "STANDARD_IA"}),
    "tags": Form(fields={"tagging": TAGS}),
    "XML that is no tags": Form(fields={"tagging": "<Other></Other>"}),
    "an ACL that S3 has": Form(fields={"acl": "private"}),
    "temporary credentials with their token": Form(access_key=TEMPORARY_KEY, token=TOKEN),
    "a signature almost a week old": Form(signed_at="20260226T000000Z"),
    "a field that toolkits call a file": Form(before=[('x-ignore-"; filename="f', "1")]),
    "the file's field in capitals": Form(file_name="FILE"),
    "a redirect that is not there, covered": Form(fields={"success_action_redirect": ""}),
}

REFUSED: dict[str, tuple[Form, tuple[int, str], str]] = {
    # conditions
    "eq against another value": (Form(conditions=[["eq", "$key", "k"]]), DENIED, 'failed: ["eq", "$key", "k"]'),
    "eq as an object": (Form(conditions=[EQ_KEY]), DENIED, 'Policy Condition failed: ["eq", "$key", "k"]'),
    "eq and another case of the value": (
        Form(fields={TYPE: "IMAGE/PNG"}, uncovered=[TYPE], conditions=[{TYPE: "image/png"}]),
        DENIED,
        'Policy Condition failed: ["eq", "$Content-Type", "image/png"]',
    ),
    "eq is no prefix": (typed("image/png,text/html", {TYPE: "image/png"}), DENIED, "Policy Condition failed"),
    "eq without a dollar": (Form(conditions=[["eq", "key", "incoming/owner/upload"]]), DENIED, '["eq", "key", '),
    "another key than granted": (Form(change={"key": "incoming/owner/other"}), DENIED, 'failed: ["eq", "$key"'),
    "a key that goes on": (Form(change={"key": "incoming/owner/upload/../x"}), DENIED, 'failed: ["eq", "$key"'),
    "a key twice": (Form(before=[("key", "incoming/owner/upload")]), DENIED, 'failed: ["eq", "$key"'),
    "another type than granted": (
        Form(fields={TYPE: "image/png"}, change={TYPE: "text/html"}),
        DENIED,
        'Policy Condition failed: ["eq", "$Content-Type", "image/png"]',
    ),
    "a type that was granted, and is gone": (
        Form(fields={TYPE: "image/png"}, change={TYPE: None}),
        DENIED,
        'Policy Condition failed: ["eq", "$Content-Type", "image/png"]',
    ),
    "a value without the prefix": (typed("text/html", IMAGES), DENIED, 'failed: ["starts-with", "$Content-Type"'),
    "the prefix in another case": (typed("IMAGE/png", IMAGES), DENIED, 'failed: ["starts-with", "$Content-Type"'),
    "a list of types, one without the prefix": (typed("image/png,text/html", IMAGES), DENIED, 'failed: ["starts-with'),
    "an empty prefix, the field not there": (
        Form(conditions=[["starts-with", "$acl", ""]]),
        DENIED,
        'Policy Condition failed: ["starts-with", "$acl", ""]',
    ),
    "a condition on nothing": (Form(conditions=[["starts-with", "$", ""]]), DENIED, 'failed: ["starts-with", "$", ""]'),
    "a policy for another bucket": (
        Form(bucket="other"),
        DENIED,
        'Policy Condition failed: ["eq", "$bucket", "other"]',
    ),
    "a policy for another bucket, named by a field": (
        Form(bucket="other", before=[("bucket", "other")]),
        DENIED,
        'Policy Condition failed: ["eq", "$bucket", "other"]',
    ),
    "a key with two dollars": (Form(key="a$$b"), DENIED, 'Policy Condition failed: ["eq", "$key", "a$$b"]'),
    "quotes in a value": (Form(conditions=[["eq", "$key", 'a"b']]), DENIED, r'["eq", "$key", "a\"b"]'),
    # coverage
    "a field without a condition": (Form(before=[("acl", "public-read")]), DENIED, "Extra input fields: acl"),
    "a redirect without a condition": (
        Form(before=[("success_action_redirect", "https://evil.example")]),
        DENIED,
        "Invalid according to Policy: Extra input fields: success_action_redirect",
    ),
    "metadata without a condition": (Form(before=[("x-amz-meta-a", "1")]), DENIED, "Extra input fields: x-amz-meta-a"),
    "a content type without a condition": (
        Form(before=[(TYPE, "text/html")]),
        DENIED,
        "Extra input fields: Content-Type",
    ),
    "a checksum without a condition": (Form(before=[(CHECKSUM, SHA256)]), DENIED, f"Extra input fields: {CHECKSUM}"),
    "a field without a name": (Form(before=[("", "1")]), DENIED, "Extra input fields: "),
    "Cache-Control without a condition": (Form(before=[("Cache-Control", "x")]), DENIED, "fields: Cache-Control"),
    "tags without a condition": (Form(before=[("tagging", TAGS)]), DENIED, "Extra input fields: tagging"),
    "a website redirect without a condition": (
        Form(before=[("x-amz-website-redirect-location", "https://evil.example")]),
        DENIED,
        "Extra input fields: x-amz-website-redirect-location",
    ),
    "a storage class without a condition": (
        Form(before=[("x-amz-storage-class", "GLACIER")]),
        DENIED,
        "Extra input fields: x-amz-storage-class",
    ),
    "a customer's key without a condition": (
        Form(before=[("x-amz-server-side-encryption-customer-algorithm", "AES256")]),
        DENIED,
        "Extra input fields: x-amz-server-side-encryption-customer-algorithm",
    ),
    "a disposition without a condition": (
        Form(before=[("Content-Disposition", "inline")]),
        DENIED,
        "Extra input fields: Content-Disposition",
    ),
    "a policy that names no bucket": (Form(uncovered=["bucket"]), DENIED, "Extra input fields: bucket"),
    "a policy that names no key": (Form(uncovered=["key"]), DENIED, "Extra input fields: key"),
    "a policy that names no date": (Form(uncovered=["x-amz-date"]), DENIED, "Extra input fields: x-amz-date"),
    "no conditions at all": (Form(document=only()), DENIED, "Extra input fields: bucket, key, x-amz-algorithm"),
    # time
    "expired a second ago": (Form(expiration=expiry(-1)), DENIED, "Invalid according to Policy: Policy expired."),
    "expired a microsecond ago": (Form(expiration=expiry(-0.000001)), DENIED, "Policy expired."),
    "expired, and a condition fails": (Form(expiration=expiry(-1), conditions=[EQ_KEY]), DENIED, "Policy expired."),
    "signed more than a week ago": (Form(signed_at="20260225T050606Z"), DENIED, "Policy expired."),
    # size
    "a byte too few": (
        Form(conditions=[["content-length-range", 11, 99]]),
        (400, "EntityTooSmall"),
        "smaller than the",
    ),
    "a byte too many": (
        Form(conditions=[["content-length-range", 1, 9]]),
        (400, "EntityTooLarge"),
        "exceeds the maximum",
    ),
    "an empty file where one byte is asked": (
        Form(file=b"", conditions=[["content-length-range", 1, 9]]),
        (400, "EntityTooSmall"),
        "smaller than the minimum",
    ),
    "nothing may be sent": (Form(conditions=[["content-length-range", 0, 0]]), (400, "EntityTooLarge"), ""),
    "two ranges, the narrower counts": (
        Form(conditions=[["content-length-range", 1, 99], ["content-length-range", 1, 9]]),
        (400, "EntityTooLarge"),
        "",
    ),
    "a range upside down": (Form(conditions=[["content-length-range", 99, 11]]), (400, "EntityTooSmall"), ""),
    "too large, and another key": (
        Form(change={"key": "other"}, conditions=[["content-length-range", 1, 9]]),
        DENIED,
        "Policy Condition failed",
    ),
    "a range of words": (
        Form(conditions=[["content-length-range", "few", "10"]]),
        DENIED,
        'Policy Condition failed: ["content-length-range", "few", "10"]',
    ),
    # the policy as a document
    "no base64": (Form(encoded="{policy}"), POLICY, "Invalid Policy: Invalid JSON."),
    "base64 with a space in it": (Form(encoded=f" {b64(json.dumps(only()).encode())}"), POLICY, "Invalid JSON."),
    "base64 of what is no text": (Form(encoded=b64(b"\xff\xfe")), POLICY, "Invalid Policy: Invalid JSON."),
    "an empty policy": (Form(encoded=""), POLICY, "Invalid Policy: Invalid JSON."),
    "no JSON": (Form(document="expiration"), POLICY, "Invalid Policy: Invalid JSON."),
    "a trailing comma": (
        Form(document=f'{{"expiration": "{GOOD_EXPIRY}", "conditions": [],}}'),
        POLICY,
        "Invalid JSON.",
    ),
    "no object": (Form(document=[]), POLICY, "Invalid Policy: Invalid JSON."),
    "a hundred thousand brackets": (Form(document="[" * 12_000), POLICY, "Invalid JSON."),
    "a number of five thousand digits": (
        Form(document=f'{{"expiration": {"9" * 5000}, "conditions": []}}'),
        POLICY,
        "Invalid JSON.",
    ),
    "not a number": (Form(document='{"expiration": NaN, "conditions": []}'), POLICY, "Invalid JSON."),
    "a name twice": (
        Form(document=f'{{"expiration": "{GOOD_EXPIRY}", "conditions": [], "conditions": []}}'),
        POLICY,
        "Invalid JSON.",
    ),
    "no expiration": (Form(document={"conditions": []}), POLICY, "Policy missing expiration."),
    "no conditions": (Form(document={"expiration": GOOD_EXPIRY}), POLICY, "Policy missing conditions."),
    "EXPIRATION": (Form(document={"EXPIRATION": GOOD_EXPIRY, "conditions": []}), POLICY, "Unexpected: 'expiration'"),
    "CONDITIONS": (Form(document={"expiration": GOOD_EXPIRY, "CONDITIONS": []}), POLICY, "Unexpected: 'conditions'"),
    "a bucket policy": (Form(document={**only(), "Statement": []}), POLICY, "Unexpected: 'statement'"),
    "conditions as an object": (Form(document={"expiration": GOOD_EXPIRY, "conditions": {}}), POLICY, "must be a List"),
    "an expiry with an offset": (
        Form(expiration="2026-03-04T06:07:07+01:00"),
        POLICY,
        "Invalid 'expiration' value: '2026",
    ),
    "an expiry without a T": (Form(expiration="2026-03-04 05:07:07Z"), POLICY, "Invalid 'expiration' value"),
    "an expiry without a zone": (Form(expiration="2026-03-04T05:07:07"), POLICY, "Invalid 'expiration' value"),
    "an expiry on no day": (Form(expiration="2026-02-30T05:07:07Z"), POLICY, "Invalid 'expiration' value"),
    "an expiry in words": (Form(expiration="tomorrow"), POLICY, "Invalid 'expiration' value: 'tomorrow'"),
    "an expiry as a number": (Form(expiration=1_800_000_000), POLICY, "Invalid 'expiration' value"),
    "an empty object": (Form(conditions=[{}]), POLICY, "Simple-Conditions must have exactly one property specified."),
    "an object of two": (Form(conditions=[{"acl": "private", "key": "k"}]), POLICY, "exactly one property specified."),
    "a number as a value": (
        Form(conditions=[{"Content-Length": 5}]),
        POLICY,
        "Simple-Condition: value must be a string.",
    ),
    "null as a value": (Form(conditions=[{"acl": None}]), POLICY, "Invalid Policy: Invalid JSON."),
    "an empty list": (Form(conditions=[[]]), POLICY, "Invalid Condition: missing operation identifier."),
    "a list that begins with a number": (Form(conditions=[[1, 2, 3]]), POLICY, "Invalid JSON."),
    "an operation that S3 does not have": (
        Form(conditions=[["ends-with", "$key", ""]]),
        POLICY,
        "unknown operation 'ends",
    ),
    "eq of one operand": (Form(conditions=[["eq", "$key"]]), POLICY, "Invalid eq: wrong number of arguments."),
    "eq of three": (Form(conditions=[["eq", "$key", "a", "b"]]), POLICY, "Invalid eq: wrong number of arguments."),
    "eq with a number": (Form(conditions=[["eq", "$key", 1]]), POLICY, "Invalid JSON."),
    "a range of one bound": (Form(conditions=[["content-length-range", 0]]), POLICY, "wrong number of arguments"),
    "a negative bound": (Form(conditions=[["content-length-range", -1, 9]]), POLICY, "Invalid content-length-range"),
    "a bound with a fraction": (Form(conditions=[["content-length-range", 0, 512.0]]), POLICY, "Invalid JSON."),
    "a bound that is true": (
        Form(conditions=[["content-length-range", 0, True]]),
        POLICY,
        "Invalid content-length-range",
    ),
    "a condition that is text": (Form(conditions=["bucket"]), POLICY, "must be a List or Object"),
    "half a character": (Form(document='{"\\ud800": 1}'), POLICY, "Unexpected: '\ufffd'"),
    # the signature and its credential
    "another secret": (Form(secret="guessed"), MISMATCH, "does not match the signature you provided"),
    "a truncated policy": (Form(change={"policy": "eyJleHBpcmF0aW9u"}), MISMATCH, "does not match"),
    "no base64, and not signed": (Form(change={"policy": "{policy}"}), MISMATCH, "does not match"),
    "a signature in capitals": (Form(change={"x-amz-signature": "A" * 64}), MISMATCH, "does not match"),
    "an empty signature": (Form(change={"x-amz-signature": ""}), MISMATCH, "does not match"),
    "a signature that is no ASCII": (Form(change={"x-amz-signature": "é" * 64}), MISMATCH, "does not match"),
    "a policy twice": (Form(before=[("policy", "e30=")]), MISMATCH, "does not match"),
    "an unknown access key": (
        Form(access_key="AKIAUNKNOWN"),
        (403, "InvalidAccessKeyId"),
        "does not exist in our records",
    ),
    "no access key": (Form(access_key=""), ARGUMENT, "a non-empty Access Key (AKID) must be provided"),
    "another region": (Form(region="us-east-1"), ARGUMENT, "the region 'us-east-1' is wrong; expecting 'eu-central-1'"),
    "another service": (Form(scope="20260304/eu-central-1/ec2/aws4_request"), ARGUMENT, 'incorrect service "ec2"'),
    "another terminal": (Form(scope="20260304/eu-central-1/s3/aws5_request"), ARGUMENT, 'incorrect terminal "aws5'),
    "another day than the date's": (Form(scope="20260305/eu-central-1/s3/aws4_request"), ARGUMENT, "incorrect date"),
    "a credential in pieces": (Form(scope="eu-central-1"), ARGUMENT, "the Credential is mal-formed"),
    "a date in another format": (Form(change={"x-amz-date": "2026-03-04T05:05:07Z"}), ARGUMENT, "ISO8601 Long format"),
    "a date on no day": (Form(signed_at="20260230T050507Z"), ARGUMENT, "ISO8601 Long format"),
    "another algorithm": (Form(change={"x-amz-algorithm": "AWS4-HMAC-SHA1"}), ARGUMENT, "X-Amz-Algorithm"),
    "version 2": (
        Form(before=[("AWSAccessKeyId", "AKIA"), ("signature", "c2ln")], change=dict.fromkeys(SIGNATURE)),
        REQUEST,
        "Please use AWS4-HMAC-SHA256.",
    ),
    "temporary credentials without their token": (Form(access_key=TEMPORARY_KEY), (403, "InvalidAccessKeyId"), ""),
    "temporary credentials with another token": (Form(access_key=TEMPORARY_KEY, token="x"), (400, "InvalidToken"), ""),
    "a token for lasting credentials": (Form(token=TOKEN), (400, "InvalidToken"), "malformed or otherwise invalid"),
    "a token without a condition": (
        Form(access_key=TEMPORARY_KEY, token=TOKEN, uncovered=["x-amz-security-token"]),
        DENIED,
        "Extra input fields: x-amz-security-token",
    ),
    # fields that must be there
    "no key": (Form(change={"key": None}), ARGUMENT, "must contain a field named 'key'.  If it is specified"),
    "no policy": (Form(change={"policy": None}), ARGUMENT, "must contain a field named 'policy'"),
    "no signature": (Form(change={"x-amz-signature": None}), ARGUMENT, "must contain a field named 'X-Amz-Signature'"),
    "no algorithm": (Form(change={"x-amz-algorithm": None}), ARGUMENT, "must contain a field named 'X-Amz-Algorithm'"),
    "no credential": (Form(change={"x-amz-credential": None}), ARGUMENT, "a field named 'X-Amz-Credential'"),
    "no date": (Form(change={"x-amz-date": None}), ARGUMENT, "must contain a field named 'X-Amz-Date'"),
    "neither algorithm nor credential": (
        Form(change={"x-amz-algorithm": None, "x-amz-credential": None}),
        ARGUMENT,
        "must contain a field named 'X-Amz-Algorithm'",
    ),
    "a stranger's form": (
        Form(change=dict.fromkeys(["policy", *SIGNATURE])),
        DENIED,
        "Access Denied",
    ),
    "a policy, and nothing of a signature": (
        Form(change=dict.fromkeys(SIGNATURE)),
        DENIED,
        "Access Denied",
    ),
    "a key behind the file": (
        Form(change={"key": None}, after=[("key", "incoming/owner/upload")]),
        ARGUMENT,
        "must contain a field named 'key'",
    ),
    # what the fields say of the object
    "an empty key": (Form(key=""), ARGUMENT, "User key must have a length greater than 0."),
    "a key of 1025 bytes": (Form(key="é" * 512 + "x"), (400, "KeyTooLongError"), "Your key is too long"),
    "a SHA-256 of other bytes": (
        Form(fields={CHECKSUM: SHA256}, file=b"9876543210"),
        (400, "BadDigest"),
        "The SHA256 you",
    ),
    "a SHA-256 that is none": (
        Form(fields={CHECKSUM: "sailorjerry"}),
        REQUEST,
        f"Value for {CHECKSUM} header is invalid.",
    ),
    "a SHA-256 spelt otherwise": (Form(fields={CHECKSUM: SHA256[:-2] + "9="}), REQUEST, "header is invalid."),
    "two checksums": (
        Form(fields={CHECKSUM: SHA256, "x-amz-checksum-crc32": "AAAAAA=="}),
        REQUEST,
        "Expecting a single",
    ),
    "an algorithm without its checksum": (Form(fields={ALGORITHM: "SHA256"}), REQUEST, "no corresponding"),
    "an algorithm with another's checksum": (
        Form(fields={ALGORITHM: "CRC32", CHECKSUM: SHA256}),
        REQUEST,
        "corresponding",
    ),
    "a checksum that cannot be verified": (
        Form(fields={"x-amz-checksum-crc64nvme": "AAAAAAAAAAA="}),
        REQUEST,
        "crc64nvme",
    ),
    "a Content-MD5 of other bytes": (
        Form(fields={"Content-MD5": b64(bytes(16))}),
        (400, "BadDigest"),
        "The Content-MD5",
    ),
    "a Content-MD5 that is none": (Form(fields={"Content-MD5": "no"}), (400, "InvalidDigest"), "was invalid"),
    "an unknown storage class": (
        Form(fields={"x-amz-storage-class": "COLD"}),
        (400, "InvalidStorageClass"),
        "not valid",
    ),
    "an unknown ACL": (Form(fields={"acl": "public"}), ARGUMENT, "ACL"),
    "an unknown encryption": (Form(fields={"x-amz-server-side-encryption": "ROT13"}), ARGUMENT, "encryption"),
    "a website redirect to nowhere": (Form(fields={"x-amz-website-redirect-location": "other"}), ARGUMENT, "prefix"),
    "tags that are no XML": (Form(fields={"tagging": "a=1"}), (400, "MalformedXML"), "was not well-formed"),
    "tags that explode": (
        Form(fields={"tagging": '<!DOCTYPE x [<!ENTITY a "b">]><Tagging>&a;</Tagging>'}),
        (400, "MalformedXML"),
        "was not well-formed",
    ),
    "a tag twice": (
        Form(fields={"tagging": TAGS.replace("</TagSet>", "<Tag><Key>a</Key></Tag></TagSet>")}),
        (400, "InvalidTag"),
        "",
    ),
    "a line break in a header": (Form(fields={TYPE: "image/png\r\nx: y"}), ARGUMENT, "cannot be a header"),
    "a name of metadata with a space": (Form(fields={"x-amz-meta-a b": "1"}), ARGUMENT, "cannot be a header"),
    "more than two kilobytes of metadata": (Form(fields={"x-amz-meta-a": "x" * 2048}), (400, "MetadataTooLarge"), ""),
    # the form
    "two files": (Form(after=[("file", "x")]), ARGUMENT, "POST requires exactly one file upload per request."),
    "a file by another name": (
        Form(file_name="upload"),
        ARGUMENT,
        "POST requires exactly one file upload per request.",
    ),
    "fields of more than 20 KB": (
        Form(before=[("x-ignore-a", "x" * 20_000)]),
        (400, "MaxPostPreDataLengthExceeded"),
        "fields preceeding the upload file was too large",
    ),
    "a large file by another name": (
        Form(file_name="upload", file=bytes(100_000)),
        (400, "MaxPostPreDataLengthExceeded"),
        "too large",
    ),
    "a thousand parts behind the file": (Form(after=[("x", "")] * 1001), (400, "MalformedPOSTRequest"), "well-formed"),
}


@pytest.mark.parametrize("form", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(edge: Edge, form: Form) -> None:
    response = edge.post(form)
    assert (response.status_code, response.data) == (204, b"")
    assert edge.stored() == {form.key: form.file}


@pytest.mark.parametrize(("form", "expected", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(edge: Edge, form: Form, expected: tuple[int, str], words: str) -> None:
    response = edge.post(form)
    told = document(response)
    assert (response.status_code, told["Code"]) == expected
    assert words in told["Message"]
    assert list(told)[:3] == ["", "Code", "Message"]
    assert told[""] == "Error"
    assert told["RequestId"] == response.headers["x-amz-request-id"]
    assert told["HostId"] == response.headers["x-amz-id-2"]
    assert edge.stored() == {}


DETAILS: dict[str, tuple[Form, dict[str, str]]] = {
    "the sizes": (
        Form(conditions=[["content-length-range", 1, 9]]),
        {"ProposedSize": "10", "MaxSizeAllowed": "9"},
    ),
    "the smallest size": (
        Form(conditions=[["content-length-range", 11, 99]]),
        {"ProposedSize": "10", "MinSizeAllowed": "11"},
    ),
    "the missing field": (Form(change={"key": None}), {"ArgumentName": "key", "ArgumentValue": ""}),
    "the number of files": (Form(file_name="upload"), {"ArgumentName": "file", "ArgumentValue": "0"}),
    "the region": (
        Form(region="us-east-1"),
        {
            "ArgumentName": "X-Amz-Credential",
            "ArgumentValue": "AKIAEXAMPLEEXAMPLE00/20260304/us-east-1/s3/aws4_request",
            "Region": "eu-central-1",
        },
    ),
    "the limit of fields": (Form(before=[("x-ignore-a", "x" * 20_480)]), {"MaxPostPreDataLengthBytes": "20480"}),
    "the storage class": (Form(fields={"x-amz-storage-class": "COLD"}), {"StorageClassRequested": "COLD"}),
    "the unknown key": (Form(access_key="AKIAUNKNOWN"), {"AWSAccessKeyId": "AKIAUNKNOWN"}),
    "what was signed": (
        Form(change={"policy": "e30=", "x-amz-signature": "00"}),
        {
            "AWSAccessKeyId": "AKIAEXAMPLEEXAMPLE00",
            "StringToSign": "e30=",
            "SignatureProvided": "00",
            "StringToSignBytes": "65 33 30 3d",
        },
    ),
}


@pytest.mark.parametrize(("form", "details"), DETAILS.values(), ids=DETAILS)
def test_refusals_name(edge: Edge, form: Form, details: dict[str, str]) -> None:
    told = document(edge.post(form))
    assert {name: told.get(name) for name in details} == details


BODIES: dict[str, tuple[bytes, str | None, tuple[int, str]]] = {
    "url-encoded": (b"key=k", "application/x-www-form-urlencoded", (412, "PreconditionFailed")),
    "text": (b"key=k", "text/html", (412, "PreconditionFailed")),
    "another multipart": (Form().body(), f"multipart/mixed; boundary={BOUNDARY}", (412, "PreconditionFailed")),
    "no boundary": (Form().body(), "multipart/form-data", (400, "MalformedPOSTRequest")),
    "an endless boundary": (b"", f"multipart/form-data; boundary={'x' * 71}", (400, "MalformedPOSTRequest")),
    "another boundary": (Form().body(), "multipart/form-data; boundary=other", (400, "MalformedPOSTRequest")),
    "nothing": (b"", None, (400, "MalformedPOSTRequest")),
    "no multipart": (b"key=k&file=x", None, (400, "MalformedPOSTRequest")),
    "no parts": (closed([]), None, (400, "InvalidArgument")),
    "no end": (Form().body()[:-6], None, (400, "MalformedPOSTRequest")),
    "cut within the file": (Form(file=bytes(100_000)).body()[:50_000], None, (400, "MalformedPOSTRequest")),
    "a part without a disposition": (
        closed([f"--{BOUNDARY}\r\n\r\nx\r\n".encode()]),
        None,
        (400, "MalformedPOSTRequest"),
    ),
    "a field that is no text": (
        closed([part("key", b"\xff"), part("file", b"x")]),
        None,
        (400, "MalformedPOSTRequest"),
    ),
    "headers without end": (
        f"--{BOUNDARY}\r\nContent-Disposition: {'x' * 10_000}".encode(),
        None,
        (400, "MalformedPOSTRequest"),
    ),
}


@pytest.mark.parametrize(("body", "content_type", "expected"), BODIES.values(), ids=BODIES)
def test_bodies_that_are_no_form(edge: Edge, body: bytes, content_type: str | None, expected: tuple[int, str]) -> None:
    response = edge.post_body(body, content_type=content_type)
    assert (response.status_code, document(response)["Code"]) == expected
    assert edge.stored() == {}


def test_the_table_is_all_there(note: Note) -> None:
    rows = len(ACCEPTED) + len(REFUSED) + len(BODIES)
    assert rows >= 60
    note.add("rows of the oracle", rows)
