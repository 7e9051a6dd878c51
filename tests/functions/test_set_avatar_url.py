"""Dialect 2: PATCH /api/v1/users/avatar."""

import json
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from profile_media.dialects import avatar_url
from profile_media.domain.keys import incoming_key, media_key
from profile_media.domain.model import Reason, Slot, State, Upload, utc_now
from tests import cloud
from tests.builders import ADA, GRACE, an_id, derivatives_for
from tests.conftest import Logs
from tests.functions.conftest import Answer, Call, Rows
from tests.unit.domain.test_media_urls import ELSEWHERE, HOSTILE

ROOT = Path(__file__).parents[2]
A_PICTURE_ELSEWHERE = "https://pictures.example.org/ada.png?s=200"


def url_of(upload_id: str, name: str = "full", slot: Slot = Slot.AVATAR) -> str:
    """Return the URL of an upload's derivative."""
    [derivative] = [each for each in derivatives_for(slot) if each.name == name]
    return f"{cloud.MEDIA_BASE_URL}/{media_key(upload_id, derivative)}"


def set_to(call: Call, url: object, **claims: str) -> Answer:
    return call("set_avatar_url", {"avatarUrl": url}, claims)


def state(aws: cloud.Cloud) -> object:
    return aws.rows(cloud.UPLOADS_TABLE), aws.rows(cloud.USERS_TABLE), aws.keys(cloud.MEDIA_BUCKET), aws.messages()


def shown(call: Call) -> str | None:
    """Return the avatar that GET /media/profile shows."""
    avatar = call("get_profile").body["avatar"]
    return json.dumps(avatar) if avatar else None


def test_own_picture_is_bound_by_its_url(call: Call, rows: Rows) -> None:
    upload = rows.ready()
    answer = set_to(call, url_of(upload.upload_id))
    assert answer.status == 200
    assert answer.body == {"success": True, "data": {"avatarUrl": url_of(upload.upload_id)}}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["x-correlation-id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    bound = rows.uploads.get(ADA, upload.upload_id)
    assert bound
    assert (bound.state, bound.expires_at) == (State.BOUND, None)
    assert upload.upload_id in (shown(call) or "")


@pytest.mark.parametrize("name", ["full", "thumb", "small", "icon"])
def test_url_of_any_public_derivative_is_accepted(call: Call, rows: Rows, name: str) -> None:
    url = url_of(rows.ready().upload_id, name)
    assert set_to(call, url).body["data"] == {"avatarUrl": url}
    assert rows.attachments.read(ADA, an_id(1))[0].bound_upload_id(Slot.AVATAR) == an_id(1)


def test_same_url_again_changes_nothing(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    rows.ready()
    first = set_to(call, url_of(an_id(1)))
    before = state(aws)
    assert set_to(call, url_of(an_id(1))).body == first.body
    assert set_to(call, url_of(an_id(1), "thumb")).status == 200
    assert state(aws) == before
    set_to(call, A_PICTURE_ELSEWHERE)
    before = state(aws)
    assert set_to(call, A_PICTURE_ELSEWHERE).status == 200
    assert state(aws) == before


def test_row_of_the_replaced_upload_is_deleted(call: Call, rows: Rows) -> None:
    old, new = rows.bound(), rows.ready(upload_id=an_id(2))
    assert set_to(call, url_of(new.upload_id)).status == 200
    assert rows.uploads.get(ADA, old.upload_id) is None
    assert set_to(call, A_PICTURE_ELSEWHERE).status == 200
    assert rows.uploads.get(ADA, new.upload_id) is None
    assert set_to(call, url_of(new.upload_id)).status == 400


@pytest.mark.parametrize("url", ELSEWHERE)
def test_url_of_external_picture_is_saved_unchanged(call: Call, aws: cloud.Cloud, url: str) -> None:
    assert set_to(call, url).body == {"success": True, "data": {"avatarUrl": url}}
    [user] = [row for row in aws.rows(cloud.USERS_TABLE) if row["user_id"]["S"] == ADA]
    assert user["avatar"]["M"]["url"]["S"] == url


def test_url_with_fragment_is_echoed_as_sent_and_saved_without_it(call: Call) -> None:
    url = "https://pictures.example.org/a.svg"
    for _ in range(2):
        assert set_to(call, f"{url}#layer").body["data"] == {"avatarUrl": f"{url}#layer"}
    assert call("get_profile").body["avatar"]["url"] == url


@pytest.fixture
def refusals(rows: Rows, call: Call) -> dict[str, Upload]:
    """Add an avatar, and one upload for each reason that makes an upload unusable."""
    rows.bound(upload_id=an_id(0x10))
    assert set_to(call, url_of(an_id(0x10))).status == 200
    ready = {"state": State.READY, "derivatives": derivatives_for(Slot.AVATAR)}
    return {
        "another user's": rows.ready(owner_id=GRACE, upload_id=an_id(2)),
        "another user's, bound": rows.bound(owner_id=GRACE, upload_id=an_id(3)),
        "a longer name's": rows.ready(owner_id=f"{ADA}b", upload_id=an_id(4)),
        "pending": rows.pending(upload_id=an_id(5)),
        "rejected": rows.processed(rows.pending(upload_id=an_id(6)), state=State.REJECTED, reason=Reason.CORRUPT),
        "the other slot's": rows.ready(upload_id=an_id(7), slot=Slot.COVER_IMAGE),
        "the other slot's, bound": rows.bound(upload_id=an_id(8), slot=Slot.COVER_IMAGE),
        "expired": rows.processed(
            rows.pending(upload_id=an_id(9)), **ready, expires_at=utc_now() - timedelta(seconds=1)
        ),
        "ready": rows.ready(upload_id=an_id(10)),
    }


def test_invalid_reference_is_a_400_without_a_write(call: Call, aws: cloud.Cloud, refusals: dict[str, Upload]) -> None:
    good = url_of(refusals.pop("ready").upload_id)
    urls = {f"{what}: {slot}": url_of(each.upload_id, slot=slot) for what, each in refusals.items() for slot in Slot}
    urls |= {
        "absent": url_of(an_id(99)),
        "no such derivative": good.replace("full-", "huge-"),
        "another digest": good.replace(good[-37:-5], "0" * 32),
        "another ending": good.replace(".webp", ".png"),
        "the master": url_of(an_id(10), "master"),
        "the original": f"{cloud.MEDIA_BASE_URL}/{incoming_key(ADA, an_id(10))}",
        **{name: url for name, url in HOSTILE.items() if "\ud800" not in url},
    }
    before = state(aws)
    answers = {name: set_to(call, url) for name, url in urls.items()}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(urls, 400)
    expected = avatar_url.render_error(avatar_url.INVALID, "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
    assert {name: answer.body for name, answer in answers.items()} == dict.fromkeys(urls, expected)
    assert state(aws) == before
    assert set_to(call, good).status == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"avatarUrl": None}, {"avatarUrl": 7}, {"avatarUrl": "https://a.example/\ud800"}, [], "{", "", None, "7"],
)
def test_invalid_body_is_a_400_in_the_envelope_of_the_contract(call: Call, aws: cloud.Cloud, body: object) -> None:
    answer = call("set_avatar_url", body)
    assert answer.status == 400
    assert set(answer.body) == {"success", "error"}
    assert set(answer.body["error"]) == {"code", "message", "i18nKey", "i18nVars", "details", "correlationId"}
    assert answer.body["success"] is False
    assert all(set(detail) == {"message"} for detail in answer.body["error"]["details"])
    assert answer.body["error"]["details"]
    assert answer.body["error"]["correlationId"] == answer.headers["x-correlation-id"]
    assert state(aws) == ([], [], set(), [])


def test_another_users_picture_is_refused_and_kept(call: Call, rows: Rows, aws: cloud.Cloud) -> None:
    hers = rows.bound(owner_id=GRACE)
    aws.s3.put_object(Bucket=cloud.MEDIA_BUCKET, Key=media_key(an_id(1), hers.shown[0]), Body=b"webp")
    assert set_to(call, url_of(an_id(1))).status == 400
    set_to(call, A_PICTURE_ELSEWHERE)
    assert len(aws.keys(cloud.MEDIA_BUCKET)) == 1
    assert rows.uploads.get(GRACE, an_id(1)) == hers


def test_only_configured_hosts_are_accepted(
    call: Call, rows: Rows, aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXTERNAL_AVATAR_HOSTS", "pictures.example.org, cdn.example.org")
    assert set_to(call, A_PICTURE_ELSEWHERE).status == 200
    before = state(aws)
    for url in ("https://example.org/a.png", "https://pictures.example.org.evil.example/a.png"):
        assert set_to(call, url).status == 400
    assert state(aws) == before
    assert set_to(call, url_of(rows.ready().upload_id)).status == 200


def test_plain_http_is_accepted_for_the_local_stacks_media(
    call: Call, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_BASE_URL", "http://127.0.0.1:4001")
    url = url_of(rows.ready().upload_id).replace(cloud.MEDIA_BASE_URL, "http://127.0.0.1:4001")
    assert set_to(call, url).body["data"] == {"avatarUrl": url}
    assert set_to(call, url.replace("127.0.0.1:4001", "example.org")).status == 400


def test_external_picture_is_never_fetched(call: Call, aws: cloud.Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, lambda *args, **_: asked.append(args))
    assert set_to(call, A_PICTURE_ELSEWHERE).status == 200
    assert asked == []
    assert aws.messages() == []


IMPORT_WITHOUT_A_NETWORK = """
import socket, sys
def refuse(*args, **kwargs): raise AssertionError(f"a network call: {args}")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import functions.set_avatar_url.app
clients = {"http.client", "urllib.request", "urllib3", "requests", "httpx", "aiohttp", "socket"}
ours = [module for name, module in sys.modules.items() if name.split(".")[0] in ("profile_media", "functions")]
found = {
    (module.__name__, name)
    for module in ours
    for name, value in vars(module).items()
    for origin in (getattr(value, "__module__", None), getattr(value, "__name__", None))
    if isinstance(origin, str) and any(origin == client or origin.startswith(client + ".") for client in clients)
}
assert len(ours) > 10, ours
assert not found, found
assert not {"requests", "httpx", "aiohttp", "profile_media.auth.fetch"} & set(sys.modules)
"""


def test_function_imports_nothing_that_fetches_urls() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_WITHOUT_A_NETWORK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_too_many_changes_are_a_429_with_retry_after(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRITES_PER_MINUTE", "1")
    # Look at all three answers, because a minute can end between them.
    answers = [set_to(call, f"https://pictures.example.org/{number}.png") for number in range(3)]
    limited = next(answer for answer in answers if answer.status != 200)
    assert limited.status == 429
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert limited.body["error"]["code"] == "LIMIT_EXCEEDED"
    retry_after = int(limited.headers["Retry-After"])
    assert limited.body["error"]["i18nVars"] == {"limit": "changes_per_minute", "retryAfter": retry_after}


def test_expired_token_is_a_401(call: Call, aws: cloud.Cloud) -> None:
    answer = set_to(call, A_PICTURE_ELSEWHERE, exp="1")
    assert answer.status == 401
    assert answer.body["error"]["code"] == "AUTH_UNAUTHORIZED"
    assert state(aws) == ([], [], set(), [])


def test_changes_write_audit_records(call: Call, rows: Rows, logs: Logs) -> None:
    old, new = rows.bound(), rows.ready(upload_id=an_id(2))
    set_to(call, url_of(new.upload_id))
    set_to(call, A_PICTURE_ELSEWHERE)
    records = [record for record in logs() if "audit" in record]
    assert {record["message"] for record in records} == {f"[avatar] Updated for user {ADA}"}
    who = {"owner": ADA, "actor": ADA, "slot": "avatar"}
    assert [record["audit"] for record in records] == [
        {**who, "upload_id": new.upload_id, "previous_upload_id": old.upload_id},
        {**who, "upload_id": None, "previous_upload_id": new.upload_id},
    ]
