"""The life of uploads over HTTP. boto3 checks tables and buckets behind the API."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from profile_media.domain.keys import incoming_key, media_prefixes
from profile_media.domain.model import Slot
from profile_media.domain.policy import SIZES
from tests.pictures import a_jpeg, a_phone_photograph, a_png_claiming, a_scan_bomb
from tools.local import aws, token, trace
from tools.local.browser import Answer, Browser, post_form, send
from tools.local.demo import Demo
from tools.local.launch import launched
from tools.main_job import check_picture

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

type Stack = Mapping[str, Any]

DEADLINE_SECONDS = 300
"""Maximum wait for something that happens in the background. It takes a second on an idle machine."""

NO_UPLOAD = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def behind(stack: Stack) -> "Behind":
    """The stack's tables and buckets."""
    return Behind(stack)


class Behind:
    """Read and change tables and buckets directly."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.s3 = aws.client("s3", stack["aws_endpoint"])
        self.dynamodb = aws.client("dynamodb", stack["aws_endpoint"])

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """Return the keys under a prefix."""
        listed = self.s3.list_objects_v2(Bucket=self._stack["buckets"][bucket], Prefix=prefix)
        return [found["Key"] for found in listed.get("Contents", [])]

    def media(self, upload_id: str) -> list[str]:
        """Return the keys of an upload in the media bucket."""
        return [key for prefix in media_prefixes(upload_id) for key in self.keys("MediaBucket", prefix)]

    def row(self, user: str, upload_id: str) -> dict[str, Any] | None:
        """Return an upload's row."""
        found: dict[str, Any] | None = self.dynamodb.get_item(**self._item(user, upload_id)).get("Item")
        return found

    def expire(self, user: str, upload_id: str) -> None:
        """Make an upload expire."""
        self.dynamodb.update_item(
            **self._item(user, upload_id),
            UpdateExpression="SET expires_at = :past",
            ExpressionAttributeValues={":past": {"N": str(int(time.time()) - 1)}},
        )

    def _item(self, user: str, upload_id: str) -> dict[str, Any]:
        key = {"owner_id": {"S": self._stack["users"][user]["user_id"]}, "upload_id": {"S": upload_id}}
        return {"TableName": self._stack["tables"]["UploadsTable"], "Key": key}

    def reports(self, function: str) -> list[dict[str, Any]]:
        """Return one record per invocation of a function."""
        log = Path(self._stack["folder"]) / "logs" / f"{function}.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [record for line in lines if (record := json.loads(line)).get("type") == "platform.report"]


def eventually(condition: Callable[[], object], message: Callable[[], object] = lambda: "") -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, message()
        time.sleep(0.1)


def upload(browser: Browser, content: bytes, slot: str = "avatar", content_type: str = "image/jpeg") -> dict[str, Any]:
    """Upload as a page does. Return the upload once it is not pending."""
    intent = browser.intend(slot, content, content_type)
    assert intent.status == 201, intent.body
    assert post_form(intent.json()["upload"], content).status == 201
    settled = browser.settled(intent.json()["uploadId"])
    assert settled.status == 200
    return settled.json()


def test_demo_passes(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    Demo(dict(stack)).run()
    steps = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert len(steps) == 28
    assert all(" … ok, " in line for line in steps)


def test_phone_photograph_becomes_upright_derivatives_without_metadata_and_binds_twice(
    stack: Stack, behind: Behind
) -> None:
    browser, photograph = Browser.of(stack, "ada"), a_phone_photograph()
    ready = upload(browser, photograph)
    assert ready["state"] == "ready"
    sizes = {size.name: (size.width, size.height) for size in SIZES[Slot.AVATAR]}
    assert ready["derivatives"].keys() == sizes.keys()
    for name, derivative in ready["derivatives"].items():
        check_picture(name, send("GET", derivative["url"]).body, sizes[name], photograph)
    eventually(lambda: not behind.keys("UploadsBucket", _owner_prefix(stack, "ada", ready["uploadId"])))
    bound = browser.bind("avatar", ready["publicId"])
    assert bound.status == 200
    assert bound.json()["avatar"]["url"] == ready["derivatives"]["full"]["url"]
    assert browser.bind("avatar", ready["publicId"]).json() == bound.json()
    row = behind.row("ada", ready["uploadId"])
    assert row is not None
    assert "expires_at" not in row


def test_expired_upload_is_deleted_with_its_objects(stack: Stack, behind: Behind) -> None:
    ready = upload(Browser.of(stack, "linus"), a_jpeg())
    assert behind.media(ready["uploadId"])
    behind.expire("linus", ready["uploadId"])
    eventually(lambda: behind.row("linus", ready["uploadId"]) is None)
    eventually(lambda: behind.media(ready["uploadId"]) == [], lambda: behind.media(ready["uploadId"]))


def test_upload_that_is_given_up_leaves_nothing_even_if_its_picture_comes_later(stack: Stack, behind: Behind) -> None:
    browser, content = Browser.of(stack, "linus"), a_jpeg()
    ready, late = upload(browser, content), browser.intend("avatar", content).json()
    for upload_id in (ready["uploadId"], late["uploadId"]):
        answers = [browser.call("DELETE", f"/media/uploads/{upload_id}") for _ in range(2)]
        assert [(answer.status, answer.body) for answer in answers] == [(204, b"")] * 2
        assert browser.call("GET", f"/media/uploads/{upload_id}").status == 404
    assert post_form(late["upload"], content).status == 201
    eventually(lambda: not behind.keys("UploadsBucket", _owner_prefix(stack, "linus", late["uploadId"])))
    eventually(lambda: not behind.media(ready["uploadId"]))


def test_cover_image_is_removed_from_its_slot(stack: Stack, behind: Behind) -> None:
    browser = Browser.of(stack, "linus")
    ready = upload(browser, a_jpeg(), slot="coverImage")
    assert browser.bind("coverImage", ready["publicId"]).status == 200
    assert browser.call("DELETE", f"/media/uploads/{ready['uploadId']}").status == 409
    removed = browser.call("DELETE", "/media/profile/cover-image")
    assert removed.status == 204
    assert browser.profile()["coverImage"] is None
    eventually(lambda: not behind.media(ready["uploadId"]))


def test_trace_shows_every_hop_of_an_upload_under_one_trace_id(
    stack: Stack, behind: Behind, capsys: pytest.CaptureFixture[str]
) -> None:
    intent = Browser.of(stack, "linus").intend("avatar", a_jpeg())
    upload_id, trace_id = intent.json()["uploadId"], intent.headers["x-correlation-id"]
    post_form(intent.json()["upload"], a_jpeg())
    Browser.of(stack, "linus").settled(upload_id)
    behind.expire("linus", upload_id)

    def told() -> str:
        assert trace.main([upload_id, "--state", stack["folder"]]) == 0
        return capsys.readouterr().out

    eventually(lambda: "upload purged" in told())
    hops = [line for line in told().splitlines() if trace_id in line]
    order = ("POST /media/intents 201", "upload intended", "upload processed", "upload released", "upload purged")
    assert [part for line in hops for part in order if part in line] == list(order)
    assert "POST /" + stack["buckets"]["UploadsBucket"] in told()


def test_object_stored_without_the_form_is_processed(stack: Stack, behind: Behind) -> None:
    browser, content = Browser.of(stack, "linus"), a_jpeg()
    intent = browser.intend("avatar", content).json()
    key = _owner_prefix(stack, "linus", intent["uploadId"])
    behind.s3.put_object(Bucket=stack["buckets"]["UploadsBucket"], Key=key, Body=content, ContentType="image/jpeg")
    assert browser.settled(intent["uploadId"]).json()["state"] == "ready"


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        (b"These are no pictures." * 100, "image/jpeg", "unsupported_format"),
        (a_jpeg()[:2000], "image/jpeg", "corrupt"),
        (a_scan_bomb(), "image/jpeg", "too_complex"),
        (a_png_claiming(65_500, 65_500), "image/png", "too_many_pixels"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/png", "unsupported_format"),
    ],
    ids=["text", "truncated", "scan bomb", "pixel bomb", "SVG"],
)
def test_invalid_file_is_rejected_with_a_reason_and_deleted(
    content: bytes, content_type: str, reason: str, stack: Stack, behind: Behind
) -> None:
    rejected = upload(Browser.of(stack, "noor"), content, content_type=content_type)
    assert (rejected["state"], rejected["reason"]["code"]) == ("rejected", reason)
    eventually(lambda: not behind.keys("UploadsBucket", _owner_prefix(stack, "noor", rejected["uploadId"])))
    assert behind.media(rejected["uploadId"]) == []


def test_picture_of_other_type_than_announced_is_ready(stack: Stack) -> None:
    assert upload(Browser.of(stack, "noor"), a_jpeg(), content_type="image/png")["state"] == "ready"


def test_other_users_upload_cannot_be_bound_or_read(stack: Stack) -> None:
    ready = upload(Browser.of(stack, "linus"), a_jpeg())
    answer = Browser.of(stack, "noor").bind("avatar", ready["publicId"])
    assert (answer.status, answer.json()) == (400, {"success": False, "message": "Invalid publicId"})
    assert Browser.of(stack, "noor").call("GET", f"/media/uploads/{ready['uploadId']}").status == 404


@pytest.mark.parametrize(
    "arguments",
    [
        ["--expired"],
        ["--audience", "other"],
        ["--issuer", "http://127.0.0.1:1"],
        ["--alg", "none"],
        ["--alg", "HS256"],
        ["--kid", "unheard-of"],
        ["--key", "other"],
        ["--key", "other", "--alg", "ES256"],
    ],
    ids=" ".join,
)
def test_invalid_token_is_401_and_invokes_no_handler(
    arguments: list[str], stack: Stack, behind: Behind, capsys: pytest.CaptureFixture[str]
) -> None:
    assert token.main(["ada", *arguments, "--state", stack["folder"]]) == 0
    bad = capsys.readouterr().out.strip()
    before = behind.reports("GetProfileFunction")
    _check_refused(send("GET", f"{stack['api']}/media/profile", headers={"Authorization": f"Bearer {bad}"}))
    assert behind.reports("GetProfileFunction") == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "x.y.z"},
    ],
    ids=["none", "empty", "no token", "basic", "nonsense"],
)
def test_request_without_bearer_token_is_401_and_invokes_no_handler(
    headers: dict[str, str], stack: Stack, behind: Behind
) -> None:
    before = behind.reports("GetProfileFunction")
    _check_refused(send("GET", f"{stack['api']}/media/profile", headers=headers))
    assert behind.reports("GetProfileFunction") == before


def test_es256_token_is_accepted(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    token.main(["ada", "--alg", "ES256", "--state", stack["folder"]])
    good = capsys.readouterr().out.strip()
    answer = send("GET", f"{stack['api']}/media/profile", headers={"Authorization": f"Bearer {good}"})
    assert (answer.status, answer.json()["userId"]) == (200, "auth0|ada")


def test_long_polls_do_not_block_other_requests(stack: Stack) -> None:
    browser, content = Browser.of(stack, "linus"), a_jpeg()
    intents = [browser.intend("avatar", content).json() for _ in range(3)]
    answered = threading.Event()

    def poll(intent: dict[str, Any]) -> bool:
        """Return whether another request was answered before this long poll."""
        assert browser.settled(intent["uploadId"]).json()["state"] == "ready"
        return answered.is_set()

    with ThreadPoolExecutor(3) as threads:
        polls = [threads.submit(poll, intent) for intent in intents]
        assert browser.profile()["userId"] == stack["users"]["linus"]["user_id"]
        assert browser.call("GET", f"/media/uploads/{intents[0]['uploadId']}").json()["state"] == "pending"
        answered.set()
        for intent in intents:
            assert post_form(intent["upload"], content).status == 201
        assert all(future.result() for future in polls)


def test_each_answer_has_its_own_correlation_id(stack: Stack) -> None:
    browser = Browser.of(stack, "ada")
    answers = [
        browser.call("GET", "/media/profile"),
        browser.call("GET", f"/media/uploads/{NO_UPLOAD}"),
        browser.call("GET", "/no/such/path"),
        browser.bind("avatar", "nonsense"),
        send("GET", f"{stack['api']}/media/profile"),
    ]
    ids = [answer.headers["x-correlation-id"] for answer in answers]
    assert [answer.status for answer in answers] == [200, 404, 404, 400, 401]
    assert len(set(ids)) == len(ids)
    assert None not in ids


def test_preflight_allows_only_the_pages_origin(stack: Stack) -> None:
    asking = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,content-type"}
    for origin, allowed in ((stack["page"], stack["page"]), ("https://elsewhere.example", None)):
        preflight = send("OPTIONS", f"{stack['api']}/user/profile/avatar", headers={"Origin": origin, **asking})
        assert preflight.status in (200, 204)
        assert preflight.headers["Access-Control-Allow-Origin"] == allowed


def test_logs_contain_no_tokens_and_no_signatures(stack: Stack) -> None:
    upload(Browser.of(stack, "ada"), a_jpeg())
    for log in (Path(stack["folder"]) / "logs").glob("*Function.log"):
        text = log.read_text()
        assert "eyJ" not in text, log.name
        assert "x-amz-signature" not in text.lower(), log.name


def test_killed_stack_leaves_no_process() -> None:
    with launched({}) as state:
        assert Browser.of(state, "ada").profile()["userId"] == "auth0|ada"
        family = _descendants(state["pid"])
        # moto, the process that forks workers, and the workers of the authorizer and of the profile.
        assert len(family) >= 4
        os.kill(state["pid"], signal.SIGKILL)
        eventually(lambda: not any(map(_is_alive, family)), lambda: [pid for pid in family if _is_alive(pid)])


def _descendants(pid: int) -> list[int]:
    """Return the child processes of a process, recursively."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in map(str.split, listed.splitlines())}
    children = [child for child, parent in parents.items() if parent == pid]
    return [*children, *(grandchild for child in children for grandchild in _descendants(child))]


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout.strip()[:1] not in ("", "Z")


def _check_refused(answer: Answer) -> None:
    body = answer.json()
    assert answer.status == 401
    assert body["message"] == "Invalid or expired token"
    assert body["error"]["code"] == "AUTH_UNAUTHORIZED"
    assert body["error"]["correlationId"] == answer.headers["x-correlation-id"]


def _owner_prefix(stack: Stack, user: str, upload_id: str) -> str:
    return incoming_key(stack["users"][user]["user_id"], upload_id)
