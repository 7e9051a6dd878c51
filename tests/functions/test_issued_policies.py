"""Presigned POSTs for generated tokens and intents: each allows exactly the object that the intent asked for."""

import json
import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from functions.authorize.app import handler as authorize
from profile_media.aws import session, settings
from profile_media.domain.keys import UPLOAD_ID, decode_owner, is_owner_id
from profile_media.domain.policy import MAX_OWNER_BYTES, SMALLEST_UPLOAD
from profile_media.wiring import authorization
from tests import cloud
from tests.functions.conftest import an_event, run
from tests.pictures import TYPES as ACCEPTED_TYPES
from tests.tokens import AUDIENCE, ISSUER, a_jwks, a_token, an_ec_key
from tools.local.s3_edge.evaluation import Permission, evaluate
from tools.local.s3_edge.fields import Fields
from tools.local.s3_edge.refusal import Refusal
from tools.local.s3_edge.signature import Keys

LARGEST = 10 * 1024 * 1024
TOKEN = cloud.ENVIRONMENT["AWS_SESSION_TOKEN"]

# --- what is asked for

HOSTILE = [
    *("${filename}", "$", "$$", "'", '"', "\\", "/", "../", "..", "%2f", "%00", "|", "{", "}", "[", "]", ",", ":", "*"),
    *("incoming/", "media/", "user_", "\u00e9", "\U0001f600", "a", "ada", "auth0|", " "),
    *('"}, {"acl": "public-read"}, {"a": "', '", ["starts-with", "$key", ""], "'),
]
NOBODY = ["\n", "\0", "\ud800", "a\u202eb", "a\u00a0", "x" * (MAX_OWNER_BYTES + 1)]
PRINTABLE = st.characters(exclude_categories=["C", "Z"])
SUBJECTS = st.one_of(
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=20).map("".join),
    st.text(PRINTABLE, min_size=1, max_size=MAX_OWNER_BYTES // 4),
    st.integers(1, MAX_OWNER_BYTES).map(lambda length: "x" * length),
    st.one_of(st.sampled_from(NOBODY), st.text(min_size=1)),
)
LENGTHS = st.one_of(st.sampled_from([1, 2, LARGEST - 1, LARGEST]), st.integers(1, LARGEST))


@dataclass(frozen=True)
class Wish:
    """A generated intent and its caller."""

    subject: str = "auth0|ada"
    owner: str | None = None
    """The other user for whom an administrator creates the intent."""
    slot: str = "avatar"
    content_type: str = "image/jpeg"
    length: int = 1000
    content: bytes | None = None
    """The content of the checksum; None for an intent without checksum."""
    filename: str | None = "photo.png"
    asked_again_after: float | None = None
    """The part of the upload's lifetime after which the key is repeated; None for an intent without key."""

    def body(self) -> dict[str, object]:
        """Return the body of the request."""
        body: dict[str, object] = {"slot": self.slot, "contentType": self.content_type, "contentLength": self.length}
        if self.owner is not None:
            body["owner"] = {"userId": self.owner}
        if self.content is not None:
            body["checksumSha256"] = self.checksum
        return body

    @property
    def checksum(self) -> str:
        """The checksum in base64."""
        return b64encode(sha256(self.content or b"").digest()).decode()


WISHES = st.builds(
    Wish,
    SUBJECTS,
    owner=st.none() | st.none() | SUBJECTS,
    slot=st.sampled_from(["avatar", "coverImage"]),
    content_type=st.sampled_from(ACCEPTED_TYPES).map(lambda type_: type_.value),
    length=LENGTHS,
    content=st.none() | st.binary(max_size=100),
    filename=st.none() | st.sampled_from(["../../x", "${filename}", "C:\\a.png", ""]) | st.text(max_size=20),
    asked_again_after=st.none() | st.floats(0, 0.999),
)

# --- who issues it


@dataclass
class Issuer:
    """The authorizer and the function behind it, with a clock that a test moves."""

    now: datetime
    grant: timedelta
    pending: timedelta

    def issue(self, wish: Wish) -> tuple[Mapping[str, str], datetime] | None:
        """Return the form and the expiry of its upload; None for an invalid user id."""
        self.now = datetime.now(UTC)
        token = a_token(an_ec_key(), sub=wish.subject, scope="openid" if wish.owner is None else "profile-media:admin")
        event = {**an_event("authorize"), "authorizationToken": f"Bearer {token}"}
        try:
            context = authorize(event, None)["context"]
        except Exception as refusal:
            assert str(refusal) == "Unauthorized"  # noqa: PT017 - being let in is right as well
            assert not is_owner_id(wish.subject)
            return None
        try:
            return self._asked(wish, context)
        finally:
            for table in dynamodb_backends[cloud.ACCOUNT][cloud.REGION].tables.values():
                table.items.clear()

    def _asked(self, wish: Wish, context: Mapping[str, str]) -> tuple[Mapping[str, str], datetime] | None:
        event = an_event("create_upload_intent")
        event["requestContext"]["authorizer"] = context
        event["body"] = json.dumps(wish.body())
        if wish.asked_again_after is None:
            event["headers"].pop("Idempotency-Key", None)
        answer = run("create_upload_intent", event)
        if answer["statusCode"] == 400:
            assert wish.owner is not None
            assert not is_owner_id(wish.owner)
            return None
        assert answer["statusCode"] == 201
        first = json.loads(answer["body"])
        if wish.asked_again_after is not None:
            self.now += wish.asked_again_after * self.pending
            answer = run("create_upload_intent", event)
            assert answer["statusCode"] == 201
        body = json.loads(answer["body"])
        assert body["uploadId"] == first["uploadId"]
        assert body["upload"]["url"] == cloud.ENVIRONMENT["UPLOADS_URL"]
        return body["upload"]["fields"], datetime.fromisoformat(body["expiresAt"])


@pytest.fixture(scope="module", params=[(300, 3600), (600, 60), (30, 86_400)], ids=["usual", "brief upload", "brief"])
def issuer(request: pytest.FixtureRequest) -> Iterator[Issuer]:
    """Return one deployment for all examples. Each example empties its tables."""
    grant, pending = request.param
    environment = {
        "TOKEN_ISSUER": ISSUER,
        "TOKEN_AUDIENCE": AUDIENCE,
        "ADMIN_CLAIM": "scope=profile-media:admin",
        "GRANT_SECONDS": str(grant),
        "PENDING_TTL_SECONDS": str(pending),
    }
    made = Issuer(datetime.now(UTC), timedelta(seconds=grant), timedelta(seconds=pending))

    def forget() -> None:
        settings.forget()
        authorization.verifier.cache_clear()

    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(authorization, "fetch", lambda _: a_jwks())
        patch.setattr("profile_media.aws.clock.utc_now", lambda: made.now)
        forget()
        cloud.deploy()
        yield made
    forget()


# --- what the form allows

EXTRA = {
    "acl": "public-read",
    "success_action_redirect": "https://evil.example/",
    "redirect": "https://evil.example/",
    "Cache-Control": "max-age=1",
    "Content-Disposition": "attachment",
    "Content-Encoding": "gzip",
    "Expires": "0",
    "tagging": "<Tagging/>",
    "x-amz-meta-a": "1",
    "x-amz-storage-class": "GLACIER",
    "x-amz-tagging": "a=1",
    "x-amz-server-side-encryption": "aws:kms",
    "x-amz-website-redirect-location": "https://evil.example/",
    "x-amz-server-side-encryption-customer-key": "k",
    "x-amz-checksum-crc32": "AAAAAA==",
    "Content-MD5": "x",
    "x-amz-checksum-algorithm": "SHA256",
    "x-amz-checksum-sha1": "x",
    "x-amz-object-lock-mode": "GOVERNANCE",
    "AWSAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "signature": "x",
    "submit": "Upload",
    "": "x",
    "user": "x",
}
"""Fields that no form of this service contains."""

TYPES = [
    "image/svg+xml",
    "text/html",
    "image/png,text/html",
    "IMAGE/PNG",
    "image/",
    "",
    *(each.value for each in ACCEPTED_TYPES),
]


def access_key() -> str:
    """The permissions of the function's role."""
    return str(session.signing()[0].access_key)


def edge_keys() -> Keys:
    """Return the role's key."""
    role, region = session.signing()
    return Keys({access_key(): str(role.secret_key)}, region, {access_key(): TOKEN})


def expected_conditions(fields: Mapping[str, str], wish: Wish) -> list[object]:
    """Return exactly the conditions of the contract."""
    pinned = {
        "bucket": cloud.UPLOADS_BUCKET,
        "key": fields["key"],
        "Content-Type": wish.content_type,
        "success_action_status": "201",
        "x-amz-algorithm": "AWS4-HMAC-SHA256",
        "x-amz-credential": f"{access_key()}/{fields['x-amz-date'][:8]}/{cloud.REGION}/s3/aws4_request",
        "x-amz-date": fields["x-amz-date"],
        "x-amz-security-token": TOKEN,
        **({} if wish.content is None else {"x-amz-checksum-sha256": wish.checksum}),
    }
    return [*({name: value} for name, value in pinned.items()), ["content-length-range", SMALLEST_UPLOAD, wish.length]]


def expected_properties(wish: Wish) -> dict[str, object]:
    """Return the expected properties of the object."""
    checksum = {} if wish.content is None else {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": wish.checksum}
    return {"ContentType": wish.content_type, **checksum}


def check_policy(fields: Mapping[str, str], wish: Wish, issuer: Issuer, upload_expires: datetime) -> datetime:
    """Compare policy and fields with the contract and with each other. Return the expiry of the policy."""
    policy = json.loads(b64decode(fields["policy"], validate=True))
    assert set(policy) == {"expiration", "conditions"}
    assert sorted(map(json.dumps, policy["conditions"])) == sorted(map(json.dumps, expected_conditions(fields, wish)))
    pinned = {name: value for each in policy["conditions"] if isinstance(each, dict) for name, value in each.items()}
    assert {**fields, "bucket": cloud.UPLOADS_BUCKET} == {
        **pinned,
        **{name: fields[name] for name in ("policy", "x-amz-signature")},
    }
    prefix, owner, upload_id = fields["key"].split("/")
    assert prefix == "incoming"
    assert re.fullmatch(r"[A-Za-z0-9_-]+", owner)
    assert decode_owner(owner) == (wish.subject if wish.owner is None else wish.owner)
    assert re.fullmatch(UPLOAD_ID, upload_id)
    expires = datetime.fromisoformat(policy["expiration"])
    assert expires <= min(issuer.now + issuer.grant, upload_expires)
    half = issuer.now + issuer.grant / 2 - timedelta(seconds=1)  # policies end on whole seconds
    assert expires >= min(half, upload_expires)
    return expires


def tampered(fields: Mapping[str, str], wish: Wish) -> Iterator[tuple[str, Sequence[tuple[str, str]]]]:
    """Yield the form with one change each."""
    for name, value in fields.items():
        yield f"{name} removed", [(other, fields[other]) for other in fields if other != name]
        yield f"{name} twice", [*fields.items(), (name, value)]
        for changed in {f"{value}x", value[:-1], f" {value}", value.swapcase(), ""} - {value}:
            yield f"{name}: {changed!r}", [*{**fields, name: changed}.items()]
    for name, value in EXTRA.items():
        yield f"{name} added", [*fields.items(), (name, value)]
    for type_ in {*TYPES} - {wish.content_type}:
        yield f"type {type_}", [*{**fields, "Content-Type": type_}.items()]
    _, owner, upload_id = fields["key"].split("/")
    for key in (f"incoming/{owner}x/{upload_id}", f"media/{upload_id}/full.webp", "${filename}", f"incoming/{owner}/"):
        yield f"key {key}", [*{**fields, "key": key}.items()]
    if wish.content is None:
        checksum = b64encode(sha256(b"x").digest()).decode()
        yield "checksum added", [*fields.items(), ("x-amz-checksum-sha256", checksum)]


def posted(
    fields: Sequence[tuple[str, str]], wish: Wish, now: datetime, bucket: str = cloud.UPLOADS_BUCKET
) -> Permission:
    """Evaluate the form as S3 does. Raises Refusal."""
    return evaluate(Fields(fields), wish.filename, bucket=bucket, keys=edge_keys(), now=now)


def check_content(permission: Permission, wish: Wish) -> None:
    """Check that exactly the declared bytes are accepted."""
    content = wish.content or b""
    permission.check_content(BytesIO(content), wish.length)
    permission.check_content(BytesIO(content), SMALLEST_UPLOAD)
    wrong = [(content, wish.length + 1), (content, SMALLEST_UPLOAD - 1)]
    if wish.content is not None:
        wrong += [(content + b"x", wish.length), (content[:-1] or b"y", wish.length)]
    for changed, size in wrong:
        with pytest.raises(Refusal):
            permission.check_content(BytesIO(changed), size)


@given(wish=WISHES)
@example(wish=Wish(subject="${filename}", owner=None, content=b"picture", asked_again_after=0.9))
@example(wish=Wish(subject="x" * MAX_OWNER_BYTES, length=LARGEST, slot="coverImage", asked_again_after=0.999))
@example(wish=Wish(owner='../"${filename}', content=b""))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_presigned_post_allows_exactly_what_the_intent_asked_for(issuer: Issuer, wish: Wish) -> None:
    issued = issuer.issue(wish)
    if issued is None:
        return
    fields, upload_expires = issued
    expires = check_policy(fields, wish, issuer, upload_expires)

    for moment in (issuer.now, expires):
        permission = posted([*fields.items()], wish, moment)
        assert permission.key == fields["key"]
        assert permission.stored == expected_properties(wish)
        assert permission.status == "201"
    check_content(permission, wish)

    taken = Counter[str]()
    for change, form in tampered(fields, wish):
        try:
            posted(form, wish, issuer.now)
        except Refusal:
            taken["refused"] += 1
        else:
            pytest.fail(f"taken with {change}")
    for now, bucket in ((expires + timedelta(microseconds=1), cloud.UPLOADS_BUCKET), (issuer.now, cloud.MEDIA_BUCKET)):
        with pytest.raises(Refusal):
            posted([*fields.items()], wish, now, bucket)
