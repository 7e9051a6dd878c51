"""Chromium and the service show the same size and the same colours of every accepted generated file."""

from base64 import b64encode
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from profile_media.domain.model import MASTER, Slot
from profile_media.imaging import PillowImages
from profile_media.imaging.sandbox import SandboxLimits
from tests.hostile.parts import READY
from tests.hostile.samples import SAMPLES
from tests.unit.imaging.files import contents, opened

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.enable_socket]

SHOW = """async (encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([bytes]));
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  return [width, height, [...canvas.getImageData(0, 0, width, height).data]];
}"""
"""Return width, height and the pixels of a file, as RGBA in sRGB."""

MAX_BYTES, SIDES = 100_000, range(4, 1025)
"""Of files that are compared. Larger ones are slow to send, and contain nothing else that decoders read."""

BLOCKS = 4
"""Colours are compared as means of 4 x 4 blocks: the master is encoded again, which changes single pixels."""
TOLERANCE, HDR_TOLERANCE = 13, 70
"""Of each block, in steps of 256. High dynamic range is mapped by a similar curve, which differs where it clips."""
MEAN_TOLERANCE = 5
"""Of the whole picture."""

DIFFERENT = frozenset(
    {
        "AVIF/a profile cut short",
        "GIF/codes of nothing",
        "JPEG/a profile of another class",
        "JPEG/a profile that lies about its length",
        "PNG/a palette too short",
        "PNG/claims more than it holds",
        "PNG/fcTL of wrong length",
        "PNG/script in its palette",
        "WebP/a small frame on a large canvas",
        # Chromium ignores EXIF in WebP. Safari and Firefox do not, and neither do we.
        "WebP/EXIF: 65,535 entries of which few are there",
        *(f"WebP/orientation {number}" for number in range(2, 9)),
    }
)
"""Other files that Chromium shows differently are broken, and written by no camera or editor."""

CHOSEN = (
    "JPEG/CMYK, Adobe's",
    "JPEG/no end mark",
    "JPEG/progressive, no end mark",
    "JPEG/orientation 6",
    "JPEG/XMP that turns it",
    "JPEG/Display P3",
    "PNG/I;16",
    "PNG/palette, many transparent",
    "PNG/tRNS of wrong checksum",
    "PNG/gAMA of wrong length",
    "PNG/gamma 100000",
    "PNG/colours 9/18",
    "PNG/colours 12/13",
    "PNG/64 MiB of profile in a little",
    "GIF/a frame outside the screen",
    "AVIF/the brand miaf",
    "AVIF/colours 9/16",
    "AVIF/turned as by orientation 5",
    "AVIF/XMP that turns it",
    "WebP/lossy, transparent",
)
"""Files that represent the others in the fast test."""

OTHERS = tuple(
    name
    for name, sample in SAMPLES.items()
    if sample.expected is READY and not name.startswith("truncated") and name not in {*DIFFERENT, *CHOSEN}
)


class Shown(NamedTuple):
    """A picture's size, and the mean of each block: red, green and blue, multiplied by alpha, and alpha."""

    size: tuple[int, int]
    blocks: NDArray[np.float64]


def by_blocks(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    pixels[:, :, :3] *= pixels[:, :, 3:] / 255
    bands = (band.mean(axis=0) for band in np.array_split(pixels, BLOCKS))
    return np.array([[part.mean(axis=0) for part in np.array_split(band, BLOCKS)] for band in bands])


def in_browser(page: Page, content: bytes) -> Shown:
    width, height, data = page.evaluate(SHOW, b64encode(content).decode())
    return Shown((width, height), by_blocks(np.array(data, np.float64).reshape(height, width, 4)))


def by_service(content: bytes) -> Shown:
    # The deadline is wall clock, which depends on the load.
    rendered = PillowImages(SandboxLimits(deadline_seconds=120)).render(content, Slot.AVATAR)
    master = opened(contents(rendered)[MASTER]).convert("RGBA")
    return Shown((rendered.width, rendered.height), by_blocks(np.asarray(master).astype(np.float64)))


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """An empty page."""
    return browser.new_page()


def assert_same(page: Page, name: str) -> None:
    content = SAMPLES[name].make()
    if len(content) > MAX_BYTES or not set(SAMPLES[name].size or ()) <= set(SIDES):
        return
    ours, theirs = by_service(content), in_browser(page, content)
    assert ours.size == theirs.size
    difference = np.abs(ours.blocks - theirs.blocks)
    if "end mark" in name:  # Chromium leaves the last rows of a truncated JPEG transparent.
        difference = difference[theirs.blocks[:, :, 3] == 255]
    assert difference.mean() <= MEAN_TOLERANCE
    assert difference.max() <= (HDR_TOLERANCE if "colours 9/16" in name else TOLERANCE)


@pytest.mark.parametrize("name", CHOSEN)
def test_chosen_file_is_shown_as_by_chromium(page: Page, name: str) -> None:
    assert_same(page, name)


@pytest.mark.assurance
@pytest.mark.parametrize("name", OTHERS)
def test_accepted_file_is_shown_as_by_chromium(page: Page, name: str) -> None:
    assert_same(page, name)
