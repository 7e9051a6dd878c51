"""A crop shows exactly the chosen pixels, at every orientation and scale; the default crop keeps heads."""

from io import BytesIO

import pytest
from PIL import Image, ImageFilter, JpegImagePlugin

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Crop, Focus, Framing
from profile_media.domain.model import Reason, Slot
from profile_media.domain.policy import WEBP_QUALITY
from profile_media.imaging import PillowImages
from profile_media.imaging.render import render
from profile_media.imaging.resampling import jpeg_scale
from tests import pictures
from tests.unit.imaging.files import contents, difference

NOISE = 1.3
"""The greatest difference from a reference, as a multiple of what encoding the reference makes."""


def a_scene(width: int, height: int) -> Image.Image:
    """Return a picture in which every part differs from every other, and from itself one pixel away."""
    noise = Image.effect_noise((width, height), 120).filter(ImageFilter.GaussianBlur(width / 400))
    return Image.merge("RGB", [noise, noise.transpose(Image.Transpose.ROTATE_180), noise.point(lambda v: 255 - v)])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("content_type", "size", "crop"),
    [
        (ContentType.JPEG, (2605, 2003), Crop(1101, 300, 1303, 1303)),  # decoded at a half
        pytest.param(ContentType.JPEG, (2003, 2605), Crop(0, 1302, 1303, 1303), marks=pytest.mark.assurance),
        pytest.param(ContentType.JPEG, (1201, 907), Crop(683, 390, 517, 517), marks=pytest.mark.assurance),
        pytest.param(ContentType.PNG, (1201, 907), Crop(347, 131, 517, 517), marks=pytest.mark.assurance),
    ],
)
def test_crop_is_right_to_the_pixel(
    content_type: ContentType, size: tuple[int, int], crop: Crop, orientation: int
) -> None:
    scene = a_scene(*size)
    file = pictures.a_file(
        content_type, pictures.stored(scene, orientation), exif=pictures.exif(orientation), **_best(content_type)
    )

    shown = contents(render(file, content_type, Slot.AVATAR, crop, keep_master=False))

    shifts = {
        (across, down): difference(shown["full"], _reference(scene, crop, across, down))
        for across, down in ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0))
    }
    assert shifts[0, 0] <= NOISE * _noise(_reference(scene, crop))
    assert min(shifts, key=lambda shift: shifts[shift]) == (0, 0)
    icon = _reference(scene, crop).resize((64, 64), Image.Resampling.LANCZOS)
    assert difference(shown["icon"], icon) <= NOISE * _noise(icon)


@pytest.mark.parametrize(
    ("framing", "left", "top", "right", "bottom"),
    [
        (Crop(101, 51, 303, 401), 101, 201, 404, 302),  # the middle of a region that is too high
        (Crop(101, 51, 601, 101), 250, 51, 553, 152),  # the middle of one that is too low
        (Focus(0.5, 0.1), 0, 0, 909, 303),
        (Focus(0.5, 0.99), 0, 304, 909, 607),
    ],
)
def test_cover_shows_middle_of_crop_and_focus(framing: Framing, left: int, top: int, right: int, bottom: int) -> None:
    scene = a_scene(909, 607)
    shown = contents(render(pictures.a_file(ContentType.PNG, scene), ContentType.PNG, Slot.COVER_IMAGE, framing))
    expected = scene.crop((left, top, right, bottom)).resize((1500, 500), Image.Resampling.LANCZOS)
    assert difference(shown["full"], expected) <= NOISE * _noise(expected)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # Pillow warns at half of the limit.
@pytest.mark.parametrize(
    ("crop", "divisor"),
    [
        (Crop(0, 0, 8064, 6048), 8),
        (Crop(0, 0, 2560, 2560), 4),
        (Crop(0, 0, 2559, 3000), 2),
        (Crop(0, 0, 1279, 1279), 1),
        (Crop(0, 0, 1, 1), 1),
        (Focus(0.1, 0.9), 8),
    ],
)
def test_jpeg_is_decoded_as_its_crop_needs(monkeypatch: pytest.MonkeyPatch, crop: Framing, divisor: int) -> None:
    def stop(opened: JpegImagePlugin.JpegImageFile) -> None:
        raise StopIteration(opened.size)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", stop)
    with pytest.raises(StopIteration) as stopped:
        render(pictures.a_jpeg_claiming(8064, 6048), ContentType.JPEG, Slot.AVATAR, crop, keep_master=False)
    assert stopped.value.value == (8064 // divisor, 6048 // divisor)


def test_jpeg_above_limit_is_not_decoded_in_full_for_a_crop() -> None:
    assert [jpeg_scale(size, 0.1, None) for size in ((8000, 6250), (8001, 6250), (12000, 9000))] == [1, 2, 2]


@pytest.mark.parametrize("orientation", [1, 6])
def test_crop_outside_of_picture_is_rejected(orientation: int) -> None:
    images, file = PillowImages(), pictures.a_jpeg(640, 480, orientation=orientation)
    images.render(file, Slot.AVATAR, Crop(639, 479, 1, 1))
    for crop in (Crop(639, 0, 2, 1), Crop(0, 479, 1, 2), Crop(640, 0, 1, 1), Crop(0, 0, 480, 640)):
        with pytest.raises(ImageUnacceptable) as rejected:
            images.render(file, Slot.AVATAR, crop)
        assert rejected.value.reason is Reason.CROP_OUTSIDE


def _best(content_type: ContentType) -> dict[str, object]:
    return {"quality": 98, "subsampling": 0} if content_type is ContentType.JPEG else {}


def _noise(picture: Image.Image) -> float:
    encoded = BytesIO()
    picture.save(encoded, "WEBP", quality=WEBP_QUALITY, method=4)
    return difference(encoded.getvalue(), picture)


def _reference(scene: Image.Image, crop: Crop, across: int = 0, down: int = 0) -> Image.Image:
    left, top = int(crop.x) + across, int(crop.y) + down
    part = scene.crop((left, top, left + int(crop.width), top + int(crop.height)))
    return part.resize((512, 512), Image.Resampling.LANCZOS)
