"""An animated picture has an animated derivative where it is switched on, within limits."""

import pytest
from PIL import Image

from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Crop
from profile_media.domain.model import ANIMATED, Slot
from profile_media.imaging import PillowImages, animation
from profile_media.imaging.metadata import is_pixels_only
from tests import pictures
from tests.unit.imaging.files import contents, opened

ANIMATED_TYPES = [ContentType.GIF, ContentType.WEBP]


@pytest.fixture(scope="module")
def images() -> PillowImages:
    return PillowImages(keep_animation=True)


@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("content_type", ANIMATED_TYPES)
def test_render_makes_animated_derivative(images: PillowImages, content_type: ContentType, slot: Slot) -> None:
    made = contents(images.render(pictures.an_animation(content_type), slot))
    still, animated = opened(made["full"]), opened(made[ANIMATED])
    assert (animated.size, getattr(animated, "n_frames", 1)) == (still.size, 2)  # the red frames are equal
    assert getattr(still, "n_frames", 1) == 1
    animated.seek(1)
    animated.load()
    assert animated.info["duration"] == 200
    assert animated.convert("RGB").getpixel((9, 9)) == pytest.approx((255, 0, 0), abs=6)
    assert is_pixels_only(made[ANIMATED], ContentType.WEBP, is_animated=True)
    assert not is_pixels_only(made[ANIMATED], ContentType.WEBP)


def test_render_crops_every_frame(images: PillowImages) -> None:
    frames = [Image.new("RGB", (200, 100), colour) for colour in ("red", "blue")]
    for each in frames:
        each.paste((0, 255, 0), (100, 0, 200, 100))
    file = pictures.a_file(ContentType.WEBP, frames[0], save_all=True, append_images=frames[1:], lossless=True)
    made = contents(images.render(file, Slot.AVATAR, Crop(0, 0, 100, 100)))
    animated = opened(made[ANIMATED])
    animated.seek(1)
    assert animated.convert("RGB").getpixel((500, 9)) == pytest.approx((0, 0, 255), abs=12)


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("MAX_ANIMATION_FRAMES", 2),
        ("MAX_ANIMATION_MS", 250),
        ("MAX_ANIMATION_SCREEN", 320 * 240 - 1),
        ("MAX_ANIMATION_PIXELS", 320 * 240 * 2),
        ("MAX_ANIMATION_OUTPUT", 512 * 512 * 2),
        ("MAX_ANIMATION_BYTES", 100),
        ("CPU_SECONDS", 0.0),
    ],
)
def test_animation_above_limit_has_stills_only(
    images: PillowImages, monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    monkeypatch.setattr(animation, limit, value)
    made = contents(images.render(pictures.an_animation(ContentType.GIF), Slot.AVATAR))
    assert ANIMATED not in made
    assert "full" in made


def test_still_pictures_and_switched_off_have_no_animation(images: PillowImages) -> None:
    assert ANIMATED not in contents(images.render(pictures.a_gif(64, 48), Slot.AVATAR))
    assert ANIMATED not in contents(PillowImages().render(pictures.an_animation(ContentType.GIF), Slot.AVATAR))
