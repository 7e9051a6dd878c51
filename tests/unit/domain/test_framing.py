"""Which part of a picture a derivative shows."""

import pytest

from profile_media.domain.framing import Box, Crop, Dimensions, Focus, Framing, frame, scale_framing

SQUARE, BANNER = (100, 100), (300, 100)


@pytest.mark.parametrize(
    ("size", "target", "framing", "expected"),
    [
        ((400, 300), SQUARE, None, (50, 0, 350, 300)),
        ((400, 300), BANNER, None, (0, 83.3333, 400, 216.6667)),
        ((300, 300), SQUARE, None, (0, 0, 300, 300)),
        ((300, 300), BANNER, None, (0, 100, 300, 200)),
        ((300, 400), SQUARE, None, (0, 0, 300, 300)),
        ((300, 600), SQUARE, None, (0, 50, 300, 350)),
        ((300, 400), BANNER, None, (0, 22, 300, 122)),
        ((400, 300), SQUARE, Crop(10, 20, 30, 30), (10, 20, 40, 50)),
        ((400, 300), SQUARE, Crop(10, 20, 50, 30), (20, 20, 50, 50)),
        ((400, 300), BANNER, Crop(10, 20, 30, 30), (10, 30, 40, 40)),
        ((400, 300), SQUARE, Focus(0.5, 0.5), (50, 0, 350, 300)),
        ((400, 300), SQUARE, Focus(0.4, 0.9), (10, 0, 310, 300)),
        ((400, 300), SQUARE, Focus(0, 1), (0, 0, 300, 300)),
        ((300, 400), SQUARE, Focus(0.5, 0.99), (0, 100, 300, 400)),
        ((300, 400), BANNER, Focus(0.2, 0.5), (0, 150, 300, 250)),
    ],
)
def test_frame_returns_box_of_target_aspect(
    size: Dimensions, target: Dimensions, framing: Framing, expected: Box
) -> None:
    assert frame(size, target, framing) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("crop", "fits"),
    [
        (Crop(0, 0, 400, 300), True),
        (Crop(399, 299, 1, 1), True),
        (Crop(1, 0, 400, 300), False),
        (Crop(0, 1, 400, 300), False),
        (Crop(-1, 0, 10, 10), False),
        (Crop(0, 0, 0, 10), False),
    ],
)
def test_crop_fits_inside_picture_only(crop: Crop, *, fits: bool) -> None:
    assert crop.fits((400, 300)) is fits


def test_scale_framing_scales_crops_only() -> None:
    assert scale_framing(Crop(40, 30, 400, 300), (4000, 3000), (2000, 1500)) == Crop(20, 15, 200, 150)
    assert scale_framing(Focus(0.1, 0.2), (4000, 3000), (2000, 1500)) == Focus(0.1, 0.2)
    whole = scale_framing(Crop(1, 0, 4032, 3023), (4033, 3023), (2017, 1512))
    assert isinstance(whole, Crop)
    assert whole.fits((2017, 1512))
