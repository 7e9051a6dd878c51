"""Two binds at once: the losing upload is purged, the winning one is kept."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.pictures import a_jpeg
from tools.local import aws
from tools.local.browser import Browser, post_form

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

ROUNDS = 10
DEADLINE_SECONDS = 300


def _ready(browser: Browser, content: bytes) -> dict[str, Any]:
    intent = browser.intend("avatar", content).json()
    assert post_form(intent["upload"], content).status == 201
    upload = browser.settled(intent["uploadId"]).json()
    assert upload["state"] == "ready", upload
    return upload


def test_loser_of_concurrent_binds_is_purged_and_winner_is_kept(stack: Mapping[str, Any]) -> None:
    browser, content = Browser.of(stack, "grace"), a_jpeg(320, 320)
    s3 = aws.client("s3", stack["aws_endpoint"])

    def objects(upload_id: str) -> list[str]:
        listed = s3.list_objects_v2(Bucket=stack["buckets"]["MediaBucket"], Prefix=f"media/{upload_id}/")
        return [found["Key"] for found in listed.get("Contents", [])]

    made: dict[str, list[str]] = {}
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            rivals = list(pool.map(lambda _: _ready(browser, content), range(2)))
            made |= {rival["uploadId"]: objects(rival["uploadId"]) for rival in rivals}
            answers = list(pool.map(lambda rival: browser.bind("avatar", rival["publicId"]), rivals))
            assert any(answer.status == 200 for answer in answers), [answer.body for answer in answers]
    shown = str(browser.profile()["avatar"])
    (winner,) = [upload_id for upload_id in made if upload_id in shown]
    deadline = time.monotonic() + DEADLINE_SECONDS
    while left := {upload_id for upload_id in made.keys() - {winner} if objects(upload_id)}:
        assert time.monotonic() < deadline, f"{len(left)} of {len(made) - 1} still have objects"
        time.sleep(0.2)
    assert objects(winner) == made[winner] != []
