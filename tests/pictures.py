"""Build picture files, valid and invalid. All are generated, so the repository contains no binary fixtures."""

import re
import struct
import zlib
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
from PIL import ExifTags, Image

from profile_media.domain.formats import ACCEPTED, FORMATS, ContentType

TYPES = tuple(each for each in ContentType if each in ACCEPTED)
"""The formats that every deployment accepts."""

UPRIGHT = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""The operation by which a camera that writes this EXIF orientation stores an upright scene."""


def a_picture(width: int = 640, height: int = 480, mode: str = "RGB") -> Image.Image:
    """Return an asymmetric picture: three gradients, a bright corner, a dark bar and noise."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    scene = np.stack([60 + 150 * x, 40 + 160 * y, 200 - 120 * x * y], axis=-1)
    scene[: max(1, height // 3), : max(1, width // 4)] += 50
    scene[height * 3 // 5 : height * 3 // 4, width // 2 :] *= 0.4
    noise = np.random.default_rng(7).normal(0, 2.5, (256, 256, 1))
    scene += np.tile(noise, (height // 256 + 1, width // 256 + 1, 1))[:height, :width]
    picture = Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))
    if mode in {"RGBA", "LA"}:
        picture = picture.convert("L").convert("LA") if mode == "LA" else picture.convert("RGBA")
        picture.putalpha(Image.fromarray((255 * np.clip(1.5 * x, 0, 1)).astype(np.uint8)))
        return picture
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    if mode == "P":
        return picture.quantize(128)
    return picture if mode == "RGB" else picture.convert(mode)


def a_file(content_type: ContentType, picture: Image.Image | None = None, **options: Any) -> bytes:
    """Encode a picture with Pillow's options for the format."""
    file = BytesIO()
    (picture or a_picture()).save(file, FORMATS[content_type].pillow_name, **options)
    return file.getvalue()


def a_jpeg(width: int = 640, height: int = 480, **options: Any) -> bytes:
    """Return a JPEG. `orientation=6` stores the upright scene as a camera with this orientation does."""
    orientation = options.pop("orientation", None)
    picture = options.pop("picture", None) or a_picture(width, height)
    if orientation is not None:
        picture = stored(picture, orientation)
        options["exif"] = exif(orientation)
    return a_file(ContentType.JPEG, picture, **{"quality": 90, **options})


def a_png(width: int = 640, height: int = 480, mode: str = "RGB", **options: Any) -> bytes:
    """Return a PNG in any of its modes."""
    return a_file(ContentType.PNG, a_picture(width, height, mode), **{"compress_level": 1, **options})


def a_webp(width: int = 640, height: int = 480, mode: str = "RGB", **options: Any) -> bytes:
    """Return a WebP, lossy by default."""
    return a_file(ContentType.WEBP, a_picture(width, height, mode), **{"method": 0, **options})


def a_gif(width: int = 640, height: int = 480, **options: Any) -> bytes:
    """Return a GIF with one frame."""
    return a_file(ContentType.GIF, a_picture(width, height), **options)


def an_avif(width: int = 320, height: int = 240, mode: str = "RGB", **options: Any) -> bytes:
    """Return an AVIF that is encoded quickly."""
    return a_file(ContentType.AVIF, a_picture(width, height, mode), **{"speed": 10, **options})


def an_avif_in(primaries: int, transfer: int, picture: Image.Image | None = None) -> bytes:
    """Return an AVIF whose `colr` box states these colours, by their numbers in ITU-T H.273."""
    file = a_file(ContentType.AVIF, picture or a_picture(64, 48), quality=100, subsampling="4:4:4", speed=10)
    at = file.index(b"colrnclx") + 8
    return file[:at] + struct.pack("!HH", primaries, transfer) + file[at + 4 :]


def a_heic(width: int = 320, height: int = 240, mode: str = "RGB", **options: Any) -> bytes:
    """Return a HEIC that is encoded quickly."""
    file = BytesIO()
    encoding: dict[str, Any] = {"quality": 90, "enc_params": {"preset": "ultrafast"}, **options}
    picture = encoding.pop("picture", None) or a_picture(width, height, mode)
    if profile := encoding.pop("icc_profile", None):
        picture.info["icc_profile"] = profile
    pillow_heif.from_pillow(picture).save(file, **encoding)
    return file.getvalue()


def an_animation(content_type: ContentType, frames: int = 3) -> bytes:
    """Return an animation: the scene first, then plain red frames, which must not be rendered."""
    red = [Image.new("RGB", (320, 240), (255, shade, 0)) for shade in range(frames - 1)]
    return a_file(content_type, a_picture(320, 240), save_all=True, append_images=red, duration=100)


def a_phone_burst() -> bytes:
    """Return a JPEG file of several pictures (MPO), as phones write it for depth maps and live photographs."""
    file = BytesIO()
    others = [Image.new("RGB", (320, 240), "red")]
    a_picture().save(file, "MPO", save_all=True, append_images=others, quality=90)
    return file.getvalue()


@cache
def a_phone_photograph() -> bytes:
    """Return an upright picture of 12 megapixels, stored with orientation 6, GPS coordinates and a comment."""
    picture = stored(a_picture(3024, 4032), 6)
    return a_file(ContentType.JPEG, picture, quality=85, exif=exif(6, place=True), comment=b"private remark")


def stored(picture: Image.Image, orientation: int) -> Image.Image:
    """Return the scene as a camera with this orientation stores it."""
    transpose = UPRIGHT[orientation]
    return picture if transpose is None else picture.transpose(transpose)


def exif(orientation: int = 1, *, place: bool = False) -> Image.Exif:
    """Return EXIF data as a phone writes it. `place` adds the coordinates of the Greenwich observatory."""
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = orientation
    data[ExifTags.Base.Make] = "Example"
    data[ExifTags.Base.Model] = "Phone 1"
    data[ExifTags.Base.DateTime] = "2025:06:21 12:00:00"
    if place:
        data.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "N",
                ExifTags.GPS.GPSLatitude: (51.0, 28.0, 40.1),
                ExifTags.GPS.GPSLongitudeRef: "W",
                ExifTags.GPS.GPSLongitude: (0.0, 0.0, 5.3),
            }
        )
    return data


def a_scan_bomb(scans: int = 2000) -> bytes:
    """Return a progressive JPEG whose last scan is repeated: 30 KB that take seconds to decode."""
    plain = a_file(ContentType.JPEG, Image.new("L", (2048, 2048), 128), progressive=True)
    last = [match.start() for match in re.finditer(rb"\xff\xda", plain)][-1]
    return plain[:last] + plain[last:-2] * scans + plain[-2:]


def a_png_claiming(width: int, height: int, bit_depth: int = 1) -> bytes:
    """Return a PNG of under 100 bytes with any size in its header."""
    header = struct.pack("!IIBBBBB", width, height, bit_depth, 0, 0, 0, 0)
    return _png((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b""))


def a_jpeg_claiming(width: int, height: int, *, progressive: bool = False) -> bytes:
    """Return a small JPEG with a false size in its frame header."""
    good = a_jpeg(64, 48, progressive=progressive)
    at = good.index(b"\xff\xc2" if progressive else b"\xff\xc0") + 5
    return good[:at] + struct.pack("!HH", height, width) + good[at + 4 :]


def a_gif_claiming(width: int, height: int) -> bytes:
    """Return a GIF whose frame claims to fill a screen of any size and to be removed afterwards."""
    dispose_to_background = b"\x21\xf9\x04\x08\0\0\0\0"
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    picture = b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x4c\x01\0"
    return b"GIF89a" + screen + dispose_to_background + picture + b"\x3b"


def a_webp_claiming(width: int, height: int) -> bytes:
    """Return a lossless WebP of 40 bytes with any size up to 16,384 in its header."""
    head = 0x2F | (width - 1) << 8 | (height - 1) << 22
    data = head.to_bytes(5, "little") + b"\x88\x88\x08\0\0\0\0\0\0\0"
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def a_display_p3_profile() -> bytes:
    """Return an ICC profile with the primaries of Display P3 and a gamma of 2.2."""
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
        b"wtpt": (0.96420, 1.0, 0.82491),
    }
    gamma = b"curv\0\0\0\0" + struct.pack("!IH", 1, round(2.2 * 256)) + b"\0\0"
    name = b"Wide Phone\0"
    described = b"desc\0\0\0\0" + struct.pack("!I", len(name)) + name + b"\0" * (78 + (-len(name) - 90) % 4)
    tags = {key: b"XYZ \0\0\0\0" + b"".join(map(_fixed, value)) for key, value in primaries.items()}
    tags |= {b"rTRC": gamma, b"gTRC": gamma, b"bTRC": gamma, b"desc": described, b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    table, data = struct.pack("!I", len(tags)), b""
    for key, value in tags.items():
        table += key + struct.pack("!II", 132 + 12 * len(tags) + len(data), len(value))
        data += value + b"\0" * (-len(value) % 4)
    head = bytearray(128)
    head[:4] = struct.pack("!I", 128 + len(table) + len(data))
    head[8:12] = b"\x02\x10\0\0"
    head[12:24] = b"mntrRGB XYZ "
    head[36:40] = b"acsp"
    head[68:80] = b"".join(map(_fixed, (0.96420, 1.0, 0.82491)))
    return bytes(head) + table + data


def _fixed(number: float) -> bytes:
    return struct.pack("!i", round(number * 65536))


def _png(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + name + data + struct.pack("!I", zlib.crc32(name + data))
