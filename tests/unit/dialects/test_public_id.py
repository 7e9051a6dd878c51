"""Dialect 0: answers."""

import json
from http import HTTPStatus
from types import MappingProxyType

from profile_media.dialects import public_id
from profile_media.domain.model import Profile, Slot
from profile_media.http.links import Links
from profile_media.http.request import Response, to_event
from tests.builders import ADA, NOW, a_ready_upload, an_id
from tests.fakes import attachment_of


def test_render_shows_each_slot_with_its_own_picture() -> None:
    held = {slot: attachment_of(a_ready_upload(upload_id=an_id(number), slot=slot)) for number, slot in enumerate(Slot)}
    profile = Profile(ADA, MappingProxyType(held), NOW, created_at=NOW)
    body = json.loads(json.dumps(public_id.render(profile, Links("app", "https://media.example.com")).body))
    for number, (slot, name) in enumerate({Slot.AVATAR: "avatar", Slot.COVER_IMAGE: "coverImage"}.items()):
        assert body[name]["publicId"].endswith(f"/{slot}/{an_id(number)}")
        assert an_id(number) in body[name]["url"]


def test_answer_is_not_cacheable() -> None:
    assert to_event(Response(HTTPStatus.OK, {}), {})["headers"]["Cache-Control"] == "no-store"
