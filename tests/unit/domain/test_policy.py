"""The tables of sizes and formats."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from profile_media.dialects import form_file, public_id, upload_id
from profile_media.dialects.native.showing import render_profile
from profile_media.dialects.sdk_image.showing import render_user
from profile_media.domain import policy
from profile_media.domain.formats import FORMATS, ContentType
from profile_media.domain.model import Attachment, Profile, Slot
from profile_media.domain.policy import SIZES, Size, default_derivative, thumbnail_derivative
from profile_media.http.links import Links
from tests.builders import ADA, NOW, a_derivative, an_id, derivatives_for

LINKS = Links("app", "https://media.example.com")


def answers(profile: Profile) -> list[object]:
    """Return the answer of every dialect that shows one picture of a slot."""
    thumbnail = thumbnail_derivative(Slot.AVATAR, _avatar(profile).derivatives)
    return [
        render_user(profile, LINKS),
        form_file.render(profile, LINKS),
        public_id.render(profile, LINKS),
        upload_id.render(profile, LINKS.url(an_id(1), thumbnail)),
    ]


def _avatar(profile: Profile) -> Attachment:
    avatar = profile.attachments[Slot.AVATAR]
    assert isinstance(avatar, Attachment)
    return avatar


def test_adding_a_larger_size_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = Profile(ADA).with_attachment(Slot.AVATAR, Attachment(an_id(1), derivatives_for(Slot.AVATAR)), NOW)
    before, native = answers(profile), render_profile(profile, LINKS).body["avatar"]

    sizes = {**SIZES, Slot.AVATAR: (Size("huge", 1600, 1600), *SIZES[Slot.AVATAR])}
    monkeypatch.setattr(policy, "SIZES", MappingProxyType(sizes))
    huge = a_derivative(name="huge", width=1600, height=1600, content=b"huge")
    avatar = _avatar(profile)
    wider = replace(profile, attachments={Slot.AVATAR: replace(avatar, derivatives=(huge, *avatar.derivatives))})

    assert answers(wider) == before
    added = render_profile(wider, LINKS).body["avatar"]
    assert isinstance(native, dict)
    assert isinstance(added, dict)
    assert added["derivatives"].pop("huge")
    assert added == native


@pytest.mark.parametrize("slot", Slot)
def test_each_slot_has_one_default_and_sizes_in_descending_order(slot: Slot) -> None:
    assert [size.default for size in SIZES[slot]].count(True) == 1
    assert list(SIZES[slot]) == sorted(SIZES[slot], key=lambda size: -size.width)


@pytest.mark.parametrize(("slot", "name"), [(Slot.AVATAR, "thumb"), (Slot.COVER_IMAGE, "full")])
def test_thumbnail_of_a_slot_without_one_is_the_default(slot: Slot, name: str) -> None:
    assert thumbnail_derivative(slot, derivatives_for(slot)).name == name


def test_upload_from_before_the_default_existed_shows_another_public_derivative() -> None:
    old = (a_derivative(name="master"), a_derivative(name="medium"))
    assert default_derivative(Slot.AVATAR, old).name == "medium"


def test_every_content_type_has_a_format_with_a_name_of_its_own() -> None:
    assert set(FORMATS) == set(ContentType)
    assert len({each.extension for each in FORMATS.values()}) == len(FORMATS)
    decoders = {each.pillow_name for kind, each in FORMATS.items() if kind is not ContentType.HEIF}
    assert len(decoders) == len(FORMATS) - 1  # HEIF is another name of HEIC
