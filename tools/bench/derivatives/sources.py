"""Make the pictures that are measured. They are the same to the bit in every run.

A decoder's time depends on the bytes per pixel, and quality on detail at every scale. So a photograph is enlarged to
the size of a sensor, gets texture at every scale and a sensor's noise, and is saved with a camera's bytes per pixel.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from tools.bench.report import ROOT

PHOTOGRAPHS = ROOT / "tools/local/photographs"
BYTES_PER_PIXEL = 0.29
TEXTURE, NOISE = 9.0, 2.2
"""Standard deviations, in steps of 256."""

SEED = 7


@cache
def photograph(name: str, width: int, height: int) -> Image.Image:
    """Return a photograph with that many pixels."""
    with Image.open(PHOTOGRAPHS / name) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    whole = ImageOps.fit(upright, (width, height), Image.Resampling.BICUBIC)
    chance = np.random.default_rng(SEED)
    texture = _texture(chance, width, height)
    bands = []
    for top in range(0, height, 512):  # 48 million pixels as floats would take 600 MB
        band = np.asarray(whole.crop((0, top, width, min(top + 512, height))), np.float32)
        noise = chance.normal(0, NOISE, band.shape).astype(np.float32)
        bands.append(np.clip(band + texture[top : top + 512, :, None] + noise, 0, 255).astype(np.uint8))
    return Image.fromarray(np.concatenate(bands))


def _texture(chance: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Return noise of all scales, each as strong as the others."""
    total = np.zeros((height, width), np.float32)
    scales = [2**step for step in range(10) if 2**step < min(width, height)]
    for scale in scales:
        shape = (height // scale + 1, width // scale + 1)
        octave = Image.fromarray(chance.normal(0, TEXTURE / len(scales) ** 0.5, shape).astype(np.float32))
        total += np.asarray(octave.resize((width, height), Image.Resampling.BICUBIC))
    return total


def as_jpeg(picture: Image.Image, *, sideways: bool = False) -> bytes:
    """Return a JPEG file as a camera saves it, at the quality that gives the wanted bytes per pixel."""
    exif = Image.Exif()
    if sideways:
        exif[ExifTags.Base.Orientation] = 6
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    least, most, best = 60, 98, b""
    while least <= most:
        quality = (least + most) // 2
        content = _saved(picture, "JPEG", quality=quality, subsampling="4:2:0", exif=exif)
        if len(content) > BYTES_PER_PIXEL * picture.width * picture.height:
            most = quality - 1
        else:
            least, best = quality + 1, content
    return best


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


ADA = partial(photograph, "portrait.jpg")
CAT = partial(photograph, "second.jpg")
MP4, MP12, MP48 = (2304, 1728), (4032, 3024), (8064, 6048)

SOURCES: Mapping[str, Callable[[], bytes]] = {
    "12 MP JPEG": lambda: as_jpeg(ADA(*MP12)),
    "12 MP JPEG, sideways": lambda: as_jpeg(CAT(*MP12[::-1]), sideways=True),
    "48 MP JPEG": lambda: as_jpeg(ADA(*MP48)),
    "12 MP PNG": lambda: _saved(ADA(*MP12), "PNG"),
    "4 MP WebP": lambda: _saved(ADA(*MP4), "WEBP", quality=90, method=4),
    "4 MP AVIF": lambda: _saved(ADA(*MP4), "AVIF", quality=80, speed=8),
}


def made(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return the files of these sources. Each is made once and kept in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name in names:
        files[name] = folder / name.replace(", ", "-").replace(" ", "-").lower()
        if not files[name].exists():
            files[name].write_bytes(SOURCES[name]())
    return files
