"""GET /media/profile."""

from profile_media.domain.model import Slot
from tests.builders import ADA, GRACE, an_id
from tests.functions.conftest import Call, Rows


def test_profile_without_pictures(call: Call) -> None:
    answer = call("get_profile")
    assert answer.status == 200
    assert answer.body == {"userId": ADA, "avatar": None, "coverImage": None, "updatedAt": None}


def test_profile_shows_both_slots_with_every_derivative(call: Call, rows: Rows) -> None:
    avatar, cover = rows.bound(), rows.bound(upload_id=an_id(2), slot=Slot.COVER_IMAGE)
    rows.bound(owner_id=GRACE, upload_id=an_id(3))
    body = call("get_profile").body
    assert set(body["avatar"]) == {"uploadId", "publicId", "derivatives"}
    assert {name: picture["width"] for name, picture in body["avatar"]["derivatives"].items()} == {
        "full": 512,
        "thumb": 256,
        "small": 128,
        "icon": 64,
    }
    assert body["avatar"]["uploadId"] == avatar.upload_id
    assert body["coverImage"]["publicId"] == f"app/user_YXV0aDB8YWRh/cover_image/{cover.upload_id}"
    assert list(body["coverImage"]["derivatives"]) == ["full", "small"]
    assert body["updatedAt"].endswith("Z")
