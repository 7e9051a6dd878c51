"""The signature check: AWS's published example, botocore's policies, tampered forms."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from tests.local.s3_edge.conftest import Edge, document
from tests.local.s3_edge.forms import ACCESS_KEY, CONTENT, NOW, PUBLIC_URL, REGION, SECRET, UPLOADS, Form
from tests.local.s3_edge.forms import sign as botocore_sign
from tools.local.s3_edge.evaluation import evaluate
from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import Refusal
from tools.local.s3_edge.signature import Keys, sign, signing_key

# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXAMPLE_SIGNATURE = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
EXAMPLE_POLICY = "\r\n".join(
    [
        '{ "expiration": "2015-12-30T12:00:00.000Z",',
        '  "conditions": [',
        '    {"bucket": "sigv4examplebucket"},',
        '    ["starts-with", "$key", "user/user1/"],',
        '    {"acl": "public-read"},',
        '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
        '    ["starts-with", "$Content-Type", "image/"],',
        '    {"x-amz-meta-uuid": "14365123651274"},',
        '    {"x-amz-server-side-encryption": "AES256"},',
        '    ["starts-with", "$x-amz-meta-tag", ""],',
        "",
        '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
        '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
        '    {"x-amz-date": "20151229T000000Z" }',
        "  ]",
        "}",
    ]
).encode()


def test_signature_of_the_published_example_is_the_published_one() -> None:
    assert len(EXAMPLE_POLICY) == 648
    assert sign(EXAMPLE_SECRET, "20151229", "us-east-1", b64encode(EXAMPLE_POLICY).decode()) == EXAMPLE_SIGNATURE
    key = signing_key(EXAMPLE_SECRET, "20151229", "us-east-1")
    assert key.hex() == "cbcef1ebeaefc82cce6530b9f0a9ae598846065f5c5bae0674bd5ebc4ba52d28"


@given(secret=st.text(max_size=50), region=st.text(max_size=20), policy=st.text(max_size=200))
def test_sign_agrees_with_botocore(secret: str, region: str, policy: str) -> None:
    expected = botocore_sign(policy, secret=secret, signed_at="20260304T050607Z", region=region)
    assert sign(secret, "20260304", region, policy) == expected


def test_form_presigned_by_boto3_is_accepted_until_it_expires(edge: Edge) -> None:
    s3 = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=PUBLIC_URL,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    checksum = b64encode(sha256(b"picture").digest()).decode()
    fields = {"Content-Type": "image/png", "success_action_status": "201", "x-amz-checksum-sha256": checksum}
    conditions: list[object] = [*({name: value} for name, value in fields.items()), ["content-length-range", 1, 7]]
    post = s3.generate_presigned_post(UPLOADS, "incoming/a/b", fields, conditions, ExpiresIn=300)
    assert post["url"] == f"{PUBLIC_URL}/{UPLOADS}"
    edge.now = datetime.now(UTC)
    form = Form(file=b"picture", before=list(post["fields"].items()), change=dict.fromkeys(Form().signed_fields()))

    assert edge.post(form).status_code == 201
    assert edge.stored() == {"incoming/a/b": b"picture"}

    edge.now += timedelta(seconds=301)
    assert document(edge.post(form))["Message"] == "Invalid according to Policy: Policy expired."


def test_any_changed_character_of_policy_or_signature_is_refused() -> None:
    fields = Form(fields={"Content-Type": "image/png"}).signed_fields()
    keys = Keys({ACCESS_KEY: SECRET}, REGION)
    evaluate(Fields(fields.items()), "a", bucket=UPLOADS, keys=keys, now=NOW)
    for name in ("policy", "x-amz-signature"):
        value = fields[name]
        changes = [value[:i] + chr(ord(value[i]) ^ 1) + value[i + 1 :] for i in range(len(value))]
        for changed in (*changes, value[:-1], value + "A", value + "\n", " " + value):
            with pytest.raises(Refusal, match="SignatureDoesNotMatch"):
                evaluate(Fields({**fields, name: changed}.items()), "a", bucket=UPLOADS, keys=keys, now=NOW)


def test_replayed_form_can_only_store_the_same_bytes(edge: Edge) -> None:
    checksum = b64encode(sha256(CONTENT).digest()).decode()
    form = Form(fields={"x-amz-checksum-sha256": checksum})
    assert edge.post(form).status_code == 204
    assert document(edge.post(Form(fields=form.fields, file=b"other")))["Code"] == "BadDigest"
    assert edge.stored() == {form.key: CONTENT}


def test_session_token_is_required_for_a_temporary_key() -> None:
    keys = Keys({ACCESS_KEY: SECRET}, REGION, {ACCESS_KEY: "token"})
    evaluate(Fields(Form(token="token").signed_fields().items()), None, bucket=UPLOADS, keys=keys, now=NOW)
    for token in (None, "other"):
        with pytest.raises(Refusal, match="InvalidToken"):
            evaluate(Fields(Form(token=token).signed_fields().items()), None, bucket=UPLOADS, keys=keys, now=NOW)


def test_secret_is_in_no_answer(edge: Edge) -> None:
    assert SECRET not in repr(Keys({ACCESS_KEY: SECRET}, REGION))
    assert SECRET.encode() not in edge.post(Form(secret="guessed")).data
