"""Fixtures for the tests of imaging."""

from collections.abc import Iterator

import pytest
from PIL import AvifImagePlugin, Image

_MAX_PIXELS, _MAX_THREADS = Image.MAX_IMAGE_PIXELS, AvifImagePlugin.DEFAULT_MAX_THREADS


@pytest.fixture(autouse=True)
def _restore_pillow_settings() -> Iterator[None]:
    """Restore the settings that the pipeline changes in Pillow. In production only a child changes them."""
    yield
    Image.MAX_IMAGE_PIXELS, AvifImagePlugin.DEFAULT_MAX_THREADS = _MAX_PIXELS, _MAX_THREADS
