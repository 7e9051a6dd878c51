"""The pictures that are measured: made here to the bit the same each time, and like a camera's where it counts.

What decides a decoder's time is bytes per pixel, and what decides quality is detail at every scale. So a photograph of
the demo is enlarged to the sensor's size, gets texture whose strength falls with its fineness as it does in nature, and
the sensor's noise, and is then written at a camera's quality: about 0.29 bytes a pixel, sampled 4:2:0.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from tests.pictures import a_display_p3_profile, stored
from tests.pictures import exif as exif_with

PHOTOGRAPH = Path(__file__).parents[3] / "tools/local/photographs/portrait.jpg"

BYTES_PER_PIXEL = 0.29
TEXTURE, NOISE = 9.0, 2.2
"""Standard deviations, in steps of 256."""

SEED = 7

type Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Source:
    """One picture to make derivatives of."""

    name: str
    content_type: str
    make: Callable[[], bytes]
    of: str = ""
    """The source whose pixels it shows, where that is another one."""


@cache
def photograph(width: int, height: int) -> Image.Image:
    """A photograph of that many pixels."""
    with Image.open(PHOTOGRAPH) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    whole = ImageOps.fit(upright, (width, height), Image.Resampling.BICUBIC)
    chance = np.random.default_rng(SEED)
    # In bands, because what 48 million pixels take as numbers is more than a small machine has.
    texture = _texture(chance, width, height)
    bands = []
    for top in range(0, height, 512):
        band = np.asarray(whole.crop((0, top, width, min(top + 512, height))), np.float32)
        noise = chance.normal(0, NOISE, band.shape).astype(np.float32)
        lit = band + texture[top : top + 512, :, None] + noise
        bands.append(np.clip(lit, 0, 255).astype(np.uint8))
    return Image.fromarray(np.concatenate(bands))


def _texture(chance: np.random.Generator, width: int, height: int) -> Pixels:
    """Noise of every scale at once, each as strong as the others: octaves, enlarged and added."""
    total = np.zeros((height, width), np.float32)
    scales = [2**step for step in range(10) if 2**step < min(width, height)]
    for scale in scales:
        shape = (height // scale + 1, width // scale + 1)
        octave = Image.fromarray(chance.normal(0, TEXTURE / len(scales) ** 0.5, shape).astype(np.float32))
        total += np.asarray(octave.resize((width, height), Image.Resampling.BICUBIC))
    return total


def as_jpeg(picture: Image.Image, orientation: int = 1, **options: object) -> bytes:
    """A JPEG file as a camera writes it: of so many bytes a pixel, whatever quality that takes."""
    sensor = stored(picture, orientation)
    least, most = 60, 98
    content = b""
    while least < most:
        quality = (least + most + 1) // 2
        content = _saved(sensor, "JPEG", quality=quality, subsampling="4:2:0", exif=exif_with(orientation), **options)
        if len(content) > BYTES_PER_PIXEL * picture.width * picture.height:
            most = quality - 1
        else:
            least = quality
    return _saved(sensor, "JPEG", quality=least, subsampling="4:2:0", exif=exif_with(orientation), **options)


def as_png(picture: Image.Image) -> bytes:
    return _saved(picture, "PNG")


def as_webp(picture: Image.Image, **options: object) -> bytes:
    return _saved(picture, "WEBP", quality=90, method=4, **options)


def cut_out(picture: Image.Image) -> Image.Image:
    """The picture as a sticker: a disc of it, with a soft edge, on nothing."""
    across = np.linspace(-1, 1, picture.width, dtype=np.float32)[None, :]
    down = np.linspace(-1, 1, picture.height, dtype=np.float32)[:, None]
    edge = np.clip((0.9 - np.hypot(across, down)) * 200, 0, 1)
    shaped = picture.copy()
    shaped.putalpha(Image.fromarray((edge * 255).astype(np.uint8)))
    return shaped


def animated(picture: Image.Image) -> bytes:
    """Four pictures, of which the first is the one that counts."""
    others = [ImageOps.mirror(picture), ImageOps.flip(picture), ImageOps.invert(picture)]
    return as_webp(picture, save_all=True, append_images=others, duration=100)


def wide(picture: Image.Image) -> bytes:
    """The picture on a phone with a wide screen: colours stored in Display P3."""
    profile = a_display_p3_profile()
    there = ImageCms.ImageCmsProfile(BytesIO(profile))
    transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), there, "RGB", "RGB")
    return as_jpeg(transform.apply(picture), icc_profile=profile)


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


MP3, MP4, MP12, MP48 = (2016, 1512), (2304, 1728), (4032, 3024), (8064, 6048)

SOURCES = MappingProxyType(
    {
        source.name: source
        for source in (
            Source("3 MP JPEG", "image/jpeg", lambda: as_jpeg(photograph(*MP3))),
            Source("12 MP JPEG", "image/jpeg", lambda: as_jpeg(photograph(*MP12))),
            Source("48 MP JPEG", "image/jpeg", lambda: as_jpeg(photograph(*MP48))),
            Source("12 MP JPEG, lying", "image/jpeg", lambda: as_jpeg(photograph(*MP12[::-1]), orientation=6)),
            Source("12 MP JPEG, progressive", "image/jpeg", lambda: as_jpeg(photograph(*MP12), progressive=True)),
            Source("12 MP JPEG, Display P3", "image/jpeg", lambda: wide(photograph(*MP12))),
            Source("12 MP PNG", "image/png", lambda: as_png(photograph(*MP12))),
            Source("4 MP PNG, transparent", "image/png", lambda: as_png(cut_out(photograph(*MP4)))),
            Source("4 MP WebP", "image/webp", lambda: as_webp(photograph(*MP4))),
            Source("4 MP WebP, transparent", "image/webp", lambda: as_webp(cut_out(photograph(*MP4)))),
            Source("4 MP WebP, animated", "image/webp", lambda: animated(photograph(*MP4))),
        )
    }
)
"""By name, the ones that goals were set for and those that take another way through the pipeline."""


def made(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """The files of these sources, each made once and kept in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name in names:
        file = folder / name.replace(", ", "-").replace(" ", "-").lower()
        if not file.exists():
            file.write_bytes(SOURCES[name].make())
        files[name] = file
    return files
