"""The measures of similarity agree with published values."""

import numpy as np
import pytest
from PIL import Image

from tests import pictures
from tests.unit.imaging.similarity import colour_difference, p3_to_srgb, ssim


def a_colour(*values: int) -> Image.Image:
    return Image.new("RGB", (4, 4), values)


def test_ssim_is_1_for_identical_pictures_and_less_for_blurred_ones() -> None:
    scene = pictures.a_picture(160, 120)
    small = scene.resize((80, 60)).resize(scene.size)
    assert ssim(scene, scene) == pytest.approx(1)
    assert ssim(scene, small) < 0.95


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((0, 0, 0), (255, 255, 255), 100.0),
        ((255, 0, 0), (0, 255, 0), 86.6),
        ((255, 0, 0), (0, 0, 255), 52.9),
        ((128, 128, 128), (128, 128, 128), 0.0),
    ],
)
def test_colour_difference_matches_published_values(
    one: tuple[int, int, int], other: tuple[int, int, int], difference: float
) -> None:
    assert colour_difference(a_colour(*one), a_colour(*other)).mean() == pytest.approx(difference, abs=0.1)


def test_p3_to_srgb_keeps_grey_and_strengthens_red() -> None:
    assert np.asarray(p3_to_srgb(a_colour(90, 90, 90)))[0, 0].tolist() == [90, 90, 90]
    red, green, blue = np.asarray(p3_to_srgb(a_colour(180, 90, 60)))[0, 0].tolist()
    assert red > 180
    assert green < 90
    assert blue < 60
