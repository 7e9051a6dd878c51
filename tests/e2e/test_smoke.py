"""`make smoke` against the local stack: what it leaves, what it puts back, and that it finds a broken purge."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.pictures import a_jpeg
from tools import smoke
from tools.local import aws
from tools.local.browser import Browser, post_form

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

type Stack = Mapping[str, Any]


@pytest.fixture
def browser(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """A user with an empty avatar, whose token the command gets."""
    user = Browser.of(stack, "noor")
    monkeypatch.setenv("TOKEN", user.token)
    assert user.call("PATCH", "/api/v1/users/me/profile-picture", {"uploadId": None}).status == 200
    return user


@pytest.fixture
def broken_purge(stack: Stack) -> Iterator[None]:
    """Let the delete queue keep its messages for a quarter of an hour."""
    sqs, url = aws.client("sqs", stack["aws_endpoint"]), stack["queues"]["PurgeQueue"]
    usual = stack["parameters"]["PurgeDelaySeconds"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "900"})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": str(usual)})


def run(stack: Stack, patience: int = 300) -> int:
    return smoke.main(["--url", stack["api"], "--purge-delay", "1", "--patience", str(patience)])


def media(stack: Stack) -> set[str]:
    """Return the keys of all pictures."""
    listed = aws.client("s3", stack["aws_endpoint"]).list_objects_v2(Bucket=stack["buckets"]["MediaBucket"])
    return {found["Key"] for found in listed.get("Contents", [])}


def test_smoke_passes_and_leaves_no_objects(stack: Stack, browser: Browser, capsys: pytest.CaptureFixture[str]) -> None:
    before = media(stack)

    assert run(stack) == 0

    output = capsys.readouterr()
    steps = [line for line in output.out.splitlines() if " … " in line]
    assert len(steps) == 16
    assert all(" … ok, " in line for line in steps)
    assert browser.token not in output.out + output.err
    assert browser.profile()["avatar"] is None
    assert media(stack) <= before


@pytest.mark.parametrize("kind", ["upload", pytest.param("external", marks=pytest.mark.assurance)])
def test_smoke_puts_the_former_avatar_back(kind: str, stack: Stack, browser: Browser) -> None:
    if kind == "external":
        browser.call("PATCH", "/api/v1/users/avatar", {"avatarUrl": "https://pictures.example.com/noor.png"})
    else:
        intent = browser.intend("avatar", content := a_jpeg()).json()
        post_form(intent["upload"], content)
        browser.bind("avatar", browser.settled(intent["uploadId"]).json()["publicId"])
    before = browser.profile()["avatar"]

    assert run(stack) == 0

    after = browser.profile()["avatar"]
    assert after.get("url") == before.get("url")
    assert after["derivatives"].keys() == before["derivatives"].keys() if kind == "upload" else after == before


@pytest.mark.usefixtures("broken_purge")
def test_smoke_finds_a_broken_purge_and_puts_the_avatar_back(
    stack: Stack, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stack, patience=2) == 1

    message = capsys.readouterr().err
    assert "wait until the objects of the first picture are purged: " in message
    assert "still served" in message
    assert "See docs/operations.md#purgedlqalarm" in message
    assert browser.profile()["avatar"] is None


def test_smoke_fails_at_the_first_step_if_the_token_is_refused(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN", "e30.e30.e30")

    assert run(stack) == 1

    message = capsys.readouterr().err
    assert "read the profile: the answer is 401" in message
    assert "e30.e30" not in message
