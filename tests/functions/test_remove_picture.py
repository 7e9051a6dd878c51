"""DELETE /media/profile/{slot}."""

import pytest

from profile_media.domain.model import Slot
from tests import cloud
from tests.builders import an_id
from tests.functions.conftest import Answer, Call, Rows

NAMES = {Slot.AVATAR: "avatar", Slot.COVER_IMAGE: "coverImage"}
PATHS = {Slot.AVATAR: "avatar", Slot.COVER_IMAGE: "cover-image"}


def remove(call: Call, slot: str, **changes: object) -> Answer:
    return call("remove_picture", pathParameters={"slot": slot}, **changes)


@pytest.mark.parametrize("slot", Slot)
def test_remove_clears_one_slot_and_can_be_repeated(call: Call, rows: Rows, aws: cloud.Cloud, slot: Slot) -> None:
    for number, each in enumerate(Slot, 1):
        rows.bound(upload_id=an_id(number), slot=each)
    assert remove(call, PATHS[slot]).status == 204
    profile = call("get_profile").body
    assert {name for name in NAMES.values() if profile[name] is None} == {NAMES[slot]}
    assert remove(call, PATHS[slot]).status == 204
    assert call("get_profile").body == profile
    left = {row["slot"]["S"] for row in aws.rows(cloud.UPLOADS_TABLE) if "slot" in row}
    assert left == set(Slot) - {slot}


def test_remove_clears_external_picture(call: Call) -> None:
    call("set_avatar_url", {"avatarUrl": "https://pictures.example.com/me.webp"})
    assert remove(call, "avatar").status == 204
    assert call("get_profile").body["avatar"] is None


def test_user_without_a_row_has_nothing_to_remove(call: Call, aws: cloud.Cloud) -> None:
    assert remove(call, "avatar").status == 204
    assert aws.rows(cloud.USERS_TABLE) == []


@pytest.mark.parametrize("name", ["cover_image", "coverImage", "Avatar", "banner"])
def test_unknown_slot_is_a_404(call: Call, name: str) -> None:
    answer = remove(call, name)
    assert (answer.status, answer.body["error"]["code"]) == (404, "SLOT_NOT_FOUND")


def test_user_of_another_tenant_is_a_404(call: Call, rows: Rows) -> None:
    call("get_profile", claims={"tenant": "one"})
    assert remove(call, "avatar", claims={"tenant": "two"}).status == 404
