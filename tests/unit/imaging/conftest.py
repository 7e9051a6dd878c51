"""What the tests of imaging share."""

from collections.abc import Iterator

import pytest
from PIL import AvifImagePlugin, Image

_PIXELS, _THREADS = Image.MAX_IMAGE_PIXELS, AvifImagePlugin.DEFAULT_MAX_THREADS


@pytest.fixture(autouse=True)
def _pillow_as_it_was() -> Iterator[None]:
    """Undoes what the pipeline sets in Pillow itself, which only a child sees in production."""
    yield
    Image.MAX_IMAGE_PIXELS, AvifImagePlugin.DEFAULT_MAX_THREADS = _PIXELS, _THREADS
