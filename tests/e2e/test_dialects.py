"""Each dialect sets the avatar over HTTP, through gateway, authorizer and function."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from tests.pictures import a_jpeg
from tools.local.browser import Answer, Browser, post_form, send

pytestmark = [pytest.mark.e2e, pytest.mark.enable_socket]

type SetAvatar = Callable[[Browser, Mapping[str, Any]], Answer]

UPLOAD_ID = re.compile(r"/media/([0-9a-f-]{36})/")


def _form(browser: Browser, method: str, path: str) -> Answer:
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    body = part.encode() + a_jpeg(400, 300) + b"\r\n--b--\r\n"
    headers = {"Authorization": f"Bearer {browser.token}", "Content-Type": "multipart/form-data; boundary=b"}
    return send(method, browser.state["api"] + path, body, headers)


def _user_path(browser: Browser) -> str:
    return f"/v1/users/{quote(browser.state['users']['grace']['user_id'], safe='')}"


DIALECTS: dict[str, SetAvatar] = {
    "public_id": lambda browser, upload: browser.bind("avatar", upload["publicId"]),
    "form_file": lambda browser, _: _form(browser, "PATCH", "/users/image/upload"),
    "avatar_url": lambda browser, upload: browser.call(
        "PATCH", "/api/v1/users/avatar", {"avatarUrl": upload["derivatives"]["full"]["url"]}
    ),
    "upload_id": lambda browser, upload: browser.call(
        "PATCH", "/api/v1/users/me/profile-picture", {"uploadId": upload["uploadId"]}
    ),
    "sdk_image": lambda browser, _: _form(browser, "POST", f"{_user_path(browser)}/profile_image"),
}


@pytest.mark.parametrize("set_avatar", DIALECTS.values(), ids=DIALECTS)
def test_dialect_sets_the_avatar(set_avatar: SetAvatar, stack: Mapping[str, Any]) -> None:
    browser, content = Browser.of(stack, "grace"), a_jpeg(320, 240)
    intent = browser.intend("avatar", content).json()
    assert post_form(intent["upload"], content).status == 201
    upload = browser.settled(intent["uploadId"]).json()

    answer = set_avatar(browser, upload)

    assert answer.status == 200, answer.body
    after = browser.profile()["avatar"]["derivatives"]["full"]["url"]
    answered, shown = (UPLOAD_ID.search(text) for text in (answer.body.decode(), after))
    assert answered is not None
    assert shown is not None
    assert answered[1] == shown[1]
    assert send("GET", after).headers["Content-Type"] == "image/webp"
