"""`make up KEEP=1`: a restarted stack has the same users, pictures, tokens and messages, also after a crash."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import a_jpeg
from tools.local import aws
from tools.local.browser import Browser, post_form, send
from tools.local.kept import saved_in
from tools.local.launch import launched

pytestmark = [pytest.mark.assurance, pytest.mark.e2e, pytest.mark.enable_socket]

DEADLINE_SECONDS = 40


def _eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _ready(browser: Browser, red: int) -> dict[str, Any]:
    content = a_jpeg(320 + red, 320)
    intent = browser.intend("avatar", content).json()
    assert post_form(intent["upload"], content).status == 201
    return browser.settled(intent["uploadId"]).json()


def _keys(state: Mapping[str, Any]) -> set[str]:
    listed = aws.client("s3", state["aws_endpoint"]).list_objects_v2(Bucket=state["buckets"]["MediaBucket"])
    return {found["Key"] for found in listed.get("Contents", [])}


def test_restarted_stack_continues_where_the_last_one_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with launched({"PurgeDelaySeconds": "900"}, "--keep", str(folder)) as state:
        before = Browser.of(state, "ada")
        replaced, bound = _ready(before, 0), _ready(before, 1)
        for upload in (replaced, bound):
            assert before.bind("avatar", upload["publicId"]).status == 200
        queue = {"QueueUrl": state["queues"]["PurgeDlq"]}
        aws.client("sqs", state["aws_endpoint"]).send_message(**queue, MessageBody="a failed purge")
        profile, headers = before.profile(), send("GET", bound["derivatives"]["full"]["url"]).headers

    # The purge of the replaced picture was still delayed when the stack stopped.
    with launched({"PurgeDelaySeconds": "0"}, "--keep", str(folder)) as state:
        after = Browser(state, before.token)
        shown = after.profile()
        assert shown["avatar"]["uploadId"] == profile["avatar"]["uploadId"]
        picture = send("GET", shown["avatar"]["derivatives"]["full"]["url"])
        same = ("Content-Type", "Cache-Control", "ETag")
        assert [picture.headers[name] for name in same] == [headers[name] for name in same]
        queue = {"QueueUrl": state["queues"]["PurgeDlq"]}
        [message] = aws.client("sqs", state["aws_endpoint"]).receive_message(**queue, WaitTimeSeconds=5)["Messages"]
        assert message["Body"] == "a failed purge"
        _eventually(lambda: not any(replaced["uploadId"] in key for key in _keys(state)))
        assert any(bound["uploadId"] in key for key in _keys(state))
        after.call("PATCH", "/api/v1/users/me/profile-picture", {"uploadId": None})
        saved = saved_in(folder)
        _eventually(lambda: saved_in(folder) != saved)  # it saves while it runs
        os.kill(state["pid"], signal.SIGKILL)

    with launched({}, "--keep", str(folder)) as state:
        assert Browser(state, before.token).profile()["avatar"] is None
