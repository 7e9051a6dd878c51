"""Signatures: AWS's own example, botocore's policies, and everything that was tampered with."""

import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from tests.local.s3_edge.conftest import Edge, document
from tests.local.s3_edge.forms import ACCESS_KEY, NOW, PUBLIC_URL, REGION, SECRET, UPLOADS, Form
from tests.local.s3_edge.forms import sign as botocore_sign
from tools.local.s3_edge.evaluation import evaluate
from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.policy import parse_policy
from tools.local.s3_edge.refusal import Refusal
from tools.local.s3_edge.signature import Keys, sign, signing_key

pytestmark = pytest.mark.campaign("F-10")

EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
EXAMPLE_SIGNATURE = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
EXAMPLE_REDIRECT = "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"
EXAMPLE_CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"
EXAMPLE_POLICY = "\r\n".join(
    [
        '{ "expiration": "2015-12-30T12:00:00.000Z",',
        '  "conditions": [',
        '    {"bucket": "sigv4examplebucket"},',
        '    ["starts-with", "$key", "user/user1/"],',
        '    {"acl": "public-read"},',
        f'    {{"success_action_redirect": "{EXAMPLE_REDIRECT}"}},',
        '    ["starts-with", "$Content-Type", "image/"],',
        '    {"x-amz-meta-uuid": "14365123651274"},',
        '    {"x-amz-server-side-encryption": "AES256"},',
        '    ["starts-with", "$x-amz-meta-tag", ""],',
        "",
        f'    {{"x-amz-credential": "{EXAMPLE_CREDENTIAL}"}},',
        '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
        '    {"x-amz-date": "20151229T000000Z" }',
        "  ]",
        "}",
    ]
).encode()
EXAMPLE_FIELDS = {
    "key": "user/user1/${filename}",
    "acl": "public-read",
    "success_action_redirect": EXAMPLE_REDIRECT,
    "Content-Type": "image/jpeg",
    "x-amz-meta-uuid": "14365123651274",
    "x-amz-server-side-encryption": "AES256",
    "X-Amz-Credential": EXAMPLE_CREDENTIAL,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Date": "20151229T000000Z",
    "x-amz-meta-tag": "",
    "Policy": b64encode(EXAMPLE_POLICY).decode(),
    "X-Amz-Signature": EXAMPLE_SIGNATURE,
}
EXAMPLE_KEYS = Keys({"AKIAIOSFODNN7EXAMPLE": EXAMPLE_SECRET}, "us-east-1")


def test_the_example_of_the_documentation_has_the_signature_printed_there() -> None:
    assert len(EXAMPLE_POLICY) == 648
    assert sign(EXAMPLE_SECRET, "20151229", "us-east-1", b64encode(EXAMPLE_POLICY).decode()) == EXAMPLE_SIGNATURE
    key = signing_key(EXAMPLE_SECRET, "20151229", "us-east-1")
    assert key.hex() == "cbcef1ebeaefc82cce6530b9f0a9ae598846065f5c5bae0674bd5ebc4ba52d28"


def test_the_form_of_the_documentation_is_accepted_whole() -> None:
    permission = evaluate(
        Fields(EXAMPLE_FIELDS.items()),
        "C:\\Pictures\\photo.jpg",
        bucket="sigv4examplebucket",
        keys=EXAMPLE_KEYS,
        now=datetime(2015, 12, 29, 12, tzinfo=UTC),
    )
    assert permission.properties.key == "user/user1/photo.jpg"
    assert permission.properties.stored == {
        "ContentType": "image/jpeg",
        "Metadata": {"uuid": "14365123651274", "tag": ""},
    }
    redirect = urlsplit(permission.redirect_to("sigv4examplebucket", '"etag"') or "")
    assert redirect.path == "/successful_upload.html"
    assert parse_qs(redirect.query) == {
        "bucket": ["sigv4examplebucket"],
        "key": ["user/user1/photo.jpg"],
        "etag": ['"etag"'],
    }


def test_the_form_of_the_documentation_has_expired() -> None:
    with pytest.raises(Refusal, match="Policy expired"):
        evaluate(
            Fields(EXAMPLE_FIELDS.items()),
            "photo.jpg",
            bucket="sigv4examplebucket",
            keys=EXAMPLE_KEYS,
            now=datetime(2015, 12, 30, 12, 0, 1, tzinfo=UTC),
        )


@given(secret=st.text(max_size=50), region=st.text(max_size=20), policy=st.text(max_size=200))
def test_signs_as_botocore_does(secret: str, region: str, policy: str) -> None:
    expected = botocore_sign(policy, secret=secret, signed_at="20260304T050607Z", region=region)
    assert sign(secret, "20260304", region, policy) == expected


@pytest.mark.parametrize("key", ["incoming/a/b", "uploads/${filename}", 'odd "keys" / äöü.png'])
def test_takes_what_botocore_presigns(edge: Edge, key: str) -> None:
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
    grant = s3.generate_presigned_post(UPLOADS, key, fields, conditions, ExpiresIn=300)
    assert grant["url"] == f"{PUBLIC_URL}/{UPLOADS}"
    edge.now = datetime.now(UTC)
    own_fields = dict.fromkeys(Form().signed_fields())
    sent = Form(file=b"picture", filename="a.png", before=list(grant["fields"].items()), change=own_fields)
    response = edge.post(sent)
    assert response.status_code == 201
    expected = key.replace("${filename}", "a.png")
    assert edge.stored() == {expected: b"picture"}
    edge.now += timedelta(seconds=301)
    assert document(edge.post(sent))["Message"] == "Invalid according to Policy: Policy expired."


def test_no_character_of_the_policy_or_signature_can_change(edge: Edge) -> None:
    fields = Form(fields={"Content-Type": "image/png"}).signed_fields()
    keys = Keys({ACCESS_KEY: SECRET}, REGION)

    def refused(changed: dict[str, str]) -> str:
        with pytest.raises(Refusal) as caught:
            evaluate(Fields({**fields, **changed}.items()), "a", bucket=UPLOADS, keys=keys, now=NOW)
        return caught.value.code

    evaluate(Fields(fields.items()), "a", bucket=UPLOADS, keys=keys, now=NOW)
    for name in ("policy", "x-amz-signature"):
        value = fields[name]
        for index, character in enumerate(value):
            flipped = chr(ord(character) ^ 1)
            assert refused({name: value[:index] + flipped + value[index + 1 :]}) == "SignatureDoesNotMatch"
        for changed in (value[:-1], value + "A", value + "\n", " " + value, value + "="):
            assert refused({name: changed}) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("bit", range(8))
def test_no_bit_of_the_decoded_policy_can_change(bit: int) -> None:
    fields = Form().signed_fields()
    policy = b64decode(fields["policy"])
    keys = Keys({ACCESS_KEY: SECRET}, REGION)
    for index in range(len(policy)):
        changed = policy[:index] + bytes([policy[index] ^ (1 << bit)]) + policy[index + 1 :]
        sent = Fields({**fields, "policy": b64encode(changed).decode()}.items())
        with pytest.raises(Refusal) as caught:
            evaluate(sent, "a", bucket=UPLOADS, keys=keys, now=NOW)
        assert caught.value.code == "SignatureDoesNotMatch"


def test_a_wrong_signature_is_found_before_anything_is_decoded() -> None:
    fields = Fields(Form(secret="guessed", encoded="not even base64").signed_fields().items())
    with (
        patch("tools.local.s3_edge.evaluation.parse_policy", wraps=parse_policy) as parse,
        pytest.raises(Refusal) as caught,
    ):
        evaluate(fields, None, bucket=UPLOADS, keys=Keys({ACCESS_KEY: SECRET}, REGION), now=NOW)
    assert caught.value.code == "SignatureDoesNotMatch"
    parse.assert_not_called()


def test_a_replay_can_only_bring_the_same_bytes(edge: Edge) -> None:
    checksum = b64encode(sha256(b"first picture").digest()).decode()
    form = Form(fields={"x-amz-checksum-sha256": checksum}, file=b"first picture")
    assert edge.post(form).status_code == 204
    replays = [b"other picture", b"first picturf", b"first picture ", b""]
    for file in replays:
        replay = edge.post(Form(fields=form.fields, file=file))
        assert (replay.status_code, document(replay)["Code"]) == (400, "BadDigest")
    assert edge.post(form).status_code == 204
    assert edge.stored() == {form.key: b"first picture"}
    other = b64encode(sha256(b"other picture").digest()).decode()
    both = edge.post(Form(fields=form.fields, file=b"other picture", change={"x-amz-checksum-sha256": other}))
    assert (both.status_code, document(both)["Code"]) == (403, "AccessDenied")
    without = edge.post(Form(fields=form.fields, file=b"other picture", change={"x-amz-checksum-sha256": None}))
    assert (without.status_code, document(without)["Code"]) == (403, "AccessDenied")


def test_the_secret_is_in_no_answer_and_no_representation(edge: Edge, client_repr: str) -> None:
    assert SECRET not in client_repr
    assert SECRET.encode() not in edge.post(Form(secret="guessed")).data


@pytest.fixture
def client_repr(edge: Edge) -> str:
    """What a traceback would show of the application."""
    client: Client = edge.client
    return repr(client.application)


json_text = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
operations = st.sampled_from(["eq", "starts-with", "content-length-range", "EQ", "", "ends-with"])
condition_like = st.one_of(
    json_text,
    st.tuples(operations, json_text, json_text),
    st.lists(operations | json_text, max_size=4),
    st.dictionaries(st.sampled_from(["key", "bucket", "acl"]), json_text, max_size=2),
)


@given(conditions=st.lists(condition_like, max_size=5), expiration=st.just("2026-03-04T05:10:00Z") | json_text)
@settings(suppress_health_check=[HealthCheck.too_slow], database=None)
def test_any_signed_policy_is_read_or_refused(conditions: list[object], expiration: object) -> None:
    fields = Fields(Form(conditions=conditions, expiration=expiration).signed_fields().items())
    try:
        permission = evaluate(fields, "a", bucket=UPLOADS, keys=Keys({ACCESS_KEY: SECRET}, REGION), now=NOW)
    except Refusal as refusal:
        assert 400 <= refusal.status < 500  # noqa: PT017 - both ends are right
    else:
        assert permission.properties.key == "incoming/owner/upload"


def test_a_policy_is_only_ever_a_utc_time() -> None:
    policy = parse_policy(b64encode(b'{"expiration": "2026-03-04T05:07:07.1239Z", "conditions": []}').decode())
    assert policy.expiration == datetime(2026, 3, 4, 5, 7, 7, 123900, tzinfo=UTC)
    assert re.fullmatch(r".*\+00:00", policy.expiration.isoformat())
