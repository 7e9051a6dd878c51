"""HEIC pictures are accepted only where it is switched on, and shown upright in sRGB."""

import pytest
from PIL import Image

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason, Slot
from profile_media.imaging import PillowImages
from tests import pictures
from tests.unit.imaging.files import contents, difference, opened

HEIC = pictures.a_heic()


@pytest.fixture(scope="module")
def images() -> PillowImages:
    return PillowImages(accept_heic=True)


def _branded(major: bytes, others: bytes) -> bytes:
    end = int.from_bytes(HEIC[:4])
    start = b"ftyp" + major + bytes(4) + others
    assert len(start) + 4 <= end
    return end.to_bytes(4) + start.ljust(end - 4, b"\0") + HEIC[end:]


def test_heic_is_unsupported_unless_it_is_switched_on() -> None:
    with pytest.raises(ImageUnacceptable) as refused:
        PillowImages().render(HEIC, Slot.AVATAR)
    assert refused.value.reason is Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("slot", Slot)
def test_render_shows_heic_as_it_shows_png(images: PillowImages, slot: Slot) -> None:
    made, expected = images.render(HEIC, slot), images.render(pictures.a_png(320, 240), slot)
    assert made.content_type is ContentType.HEIC
    assert (made.width, made.height) == (320, 240)
    assert difference(contents(made)["full"], contents(expected)["full"]) < 3


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_render_turns_heic_once(images: PillowImages, orientation: int) -> None:
    upright = pictures.a_picture(320, 240)
    file = pictures.a_heic(picture=pictures.stored(upright, orientation), exif=pictures.exif(orientation).tobytes())
    made = images.render(file, Slot.AVATAR)
    assert (made.width, made.height) == (320, 240)
    assert difference(contents(made)["full"], contents(images.render(HEIC, Slot.AVATAR))["full"]) < 4


@pytest.mark.parametrize(("major", "others"), [(b"heix", b"mif1"), (b"mif1", b"heic"), (b"mif1", b"mif1miaf")])
def test_render_accepts_heic_by_its_brands_or_items(images: PillowImages, major: bytes, others: bytes) -> None:
    assert images.render(_branded(major, others), Slot.AVATAR).content_type is ContentType.HEIC


def test_render_converts_profile_of_heic(images: PillowImages) -> None:
    red = Image.new("RGB", (64, 64), (200, 60, 60))
    plain, wide = (
        contents(images.render(pictures.a_heic(picture=red.copy(), icc_profile=profile), Slot.AVATAR))["full"]
        for profile in (None, pictures.a_display_p3_profile())
    )
    assert difference(opened(plain), opened(wide)) > 5


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (HEIC[: len(HEIC) // 2], Reason.CORRUPT),
        (HEIC[:200], Reason.CORRUPT),
        (HEIC[: HEIC.index(b"mdat") + 4] + b"\x55" * 400, Reason.CORRUPT),
        (HEIC.replace(b"hvcC", b"free", 1), Reason.CORRUPT),
        (_branded(b"hevc", b"msf1"), Reason.UNSUPPORTED_FORMAT),
    ],
    ids=["half", "start", "rubbish", "no settings", "sequence"],
)
def test_render_rejects_broken_heic(images: PillowImages, file: bytes, reason: Reason) -> None:
    with pytest.raises(ImageUnacceptable) as refused:
        images.render(file, Slot.AVATAR)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("width", "height", "reason"), [(8_000, 6_251, Reason.TOO_MANY_PIXELS), (640, 480, Reason.CORRUPT)]
)
def test_render_rejects_heic_with_false_size(images: PillowImages, width: int, height: int, reason: Reason) -> None:
    at = HEIC.index(b"ispe") + 8
    with pytest.raises(ImageUnacceptable) as refused:
        images.render(HEIC[:at] + width.to_bytes(4) + height.to_bytes(4) + HEIC[at + 8 :], Slot.AVATAR)
    assert refused.value.reason is reason
