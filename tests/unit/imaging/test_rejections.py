"""Bad files are rejected with the right reason, as early as possible, and raise nothing else."""

import struct
import subprocess
import sys
from collections.abc import Callable

import pytest
from PIL import Image, JpegImagePlugin

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason, Slot
from profile_media.domain.policy import MAX_JPEG_PADDING, MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS, MAX_PNG_CHUNKS
from profile_media.imaging import PillowImages, jpeg, render
from profile_media.imaging.child_protocol import RenderResult
from profile_media.imaging.decoding import decode
from profile_media.imaging.probe import detect_format, probe
from profile_media.imaging.sandbox import SandboxLimits
from tests import pictures
from tests.hostile.foreign import FILES

JPEG, PNG, WEBP, GIF, AVIF = pictures.TYPES

SMALL = {
    JPEG: pictures.a_jpeg(96, 64),
    PNG: pictures.a_png(96, 64),
    WEBP: pictures.a_webp(96, 64),
    GIF: pictures.a_gif(96, 64),
    AVIF: pictures.an_avif(96, 64),
}


@pytest.fixture(scope="module")
def images() -> PillowImages:
    return PillowImages()


def rejection_of(images: PillowImages, content: bytes) -> ImageUnacceptable:
    with pytest.raises(ImageUnacceptable) as rejected:
        images.render(content, Slot.AVATAR)
    assert rejected.value.detail
    return rejected.value


def probe_rejection(content: bytes) -> Reason:
    with pytest.raises(ImageUnacceptable) as rejected:
        probe(content)
    return rejected.value.reason


@pytest.mark.parametrize("name", FILES)
def test_probe_rejects_other_format(name: str) -> None:
    assert probe_rejection(FILES[name]) is Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("content_type", pictures.TYPES)
def test_probe_returns_format(content_type: ContentType) -> None:
    assert probe(SMALL[content_type]) is content_type


@pytest.mark.parametrize("brand", [b"mif1", b"miaf", b"avio", b"MA1B", b"abcd"])
def test_render_accepts_avif_by_any_of_its_brands(images: PillowImages, brand: bytes) -> None:
    branded = SMALL[AVIF][:8] + brand + SMALL[AVIF][12:]
    assert images.render(branded, Slot.AVATAR).content_type is AVIF


def test_detect_format_reads_brands_of_first_box_only() -> None:
    assert detect_format(SMALL[AVIF][:8] + b"heic" + SMALL[AVIF][12:16] + b"heic" * 4) is None
    assert detect_format(b"\xff\xff\xff\xffftypmif1\0\0\0\0" + b"heic" * 100_000 + b"avif") is None


@pytest.mark.parametrize(
    ("claiming", "size"),
    [
        (claiming, size)
        for claiming in (pictures.a_png_claiming, pictures.a_gif_claiming, pictures.a_webp_claiming)
        for size in ((16_383, 16_383), (5_001, 5_000))
    ]
    + [
        (claiming, size)
        for claiming in (pictures.a_png_claiming, pictures.a_gif_claiming, pictures.a_jpeg_claiming)
        for size in ((30_001, 20), (20, 30_001))
    ],
)
def test_render_rejects_too_many_pixels(
    images: PillowImages, claiming: Callable[[int, int], bytes], size: tuple[int, int]
) -> None:
    assert rejection_of(images, claiming(*size)).reason is Reason.TOO_MANY_PIXELS


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # Pillow warns at half of the limit.
@pytest.mark.parametrize(("progressive", "max_pixels"), [(False, 120_000_000), (True, 50_000_000)])
def test_decode_limits_pixels_by_coding_of_jpeg(
    monkeypatch: pytest.MonkeyPatch, max_pixels: int, *, progressive: bool
) -> None:
    def stop(opened: JpegImagePlugin.JpegImageFile) -> None:
        raise StopIteration

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", stop)
    for height, outcome in ((max_pixels // 10_000, StopIteration), (max_pixels // 10_000 + 1, ImageUnacceptable)):
        content = pictures.a_jpeg_claiming(10_000, height, progressive=progressive)
        with pytest.raises(outcome):
            decode(content, JPEG, lambda _: 1.0, None)


def test_is_buffered_finds_jpeg_whose_coefficients_are_held() -> None:
    interleaved = b"\xff\xda\0\x0c\x03"
    assert interleaved in SMALL[JPEG]
    assert not jpeg.is_buffered(SMALL[JPEG])
    assert not jpeg.is_buffered(pictures.a_jpeg(picture=pictures.a_picture(96, 64, "L")))
    assert jpeg.is_buffered(SMALL[JPEG].replace(interleaved, b"\xff\xda\0\x08\x01"))
    assert jpeg.is_buffered(pictures.a_jpeg(96, 64, progressive=True))


def test_render_rejects_too_many_pixels_without_allocating_them() -> None:
    images = PillowImages(SandboxLimits(memory_mib=16))
    for content in (
        pictures.a_png_claiming(65_500, 65_500),
        pictures.a_gif_claiming(65_500, 65_500),
        pictures.a_webp_claiming(16_384, 16_384),
        pictures.a_jpeg_claiming(65_500, 65_500),
    ):
        assert rejection_of(images, content).reason is Reason.TOO_MANY_PIXELS


def test_render_rejects_picture_over_memory_limit() -> None:
    # In a new process: memory that this process has freed does not count against the child's limit.
    program = """
import sys
from PIL import Image, JpegImagePlugin
from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.model import Slot
from profile_media.imaging import PillowImages
from profile_media.imaging.sandbox import SandboxLimits
from tests import pictures
large = pictures.a_file(ContentType.GIF, Image.new("L", (5000, 5000)))
try:
    PillowImages(SandboxLimits(memory_mib=16)).render(large, Slot.AVATAR)
except ImageUnacceptable as rejected:
    sys.stdout.write(rejected.reason)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == Reason.TOO_COMPLEX


def test_render_rejects_scan_bomb_without_decoder(images: PillowImages) -> None:
    bomb = pictures.a_scan_bomb()
    assert len(bomb) < 60_000
    rejection = rejection_of(images, bomb)
    assert rejection.reason is Reason.TOO_COMPLEX
    assert rejection.cost is None


def count_scans(content: bytes) -> int:
    return [segment.marker for segment in jpeg.segments(content)].count(0xDA)


def test_render_accepts_progressive_jpeg(images: PillowImages) -> None:
    progressive = pictures.a_jpeg(320, 240, progressive=True)
    assert 6 <= count_scans(progressive) <= 20
    images.render(progressive, Slot.AVATAR)


def test_segments_counts_scans_that_decoder_reads() -> None:
    one_scan, many_scans = SMALL[JPEG], pictures.a_jpeg(96, 64, progressive=True)
    thumbnail = b"\xff\xe1" + struct.pack("!H", len(many_scans) + 2) + many_scans
    for same in (
        one_scan,
        one_scan[:2] + thumbnail + one_scan[2:],
        one_scan + many_scans,
        one_scan + b"\0\0" + many_scans[2:],
        one_scan[:2] + b"\xff\xff\xff" + one_scan[2:],
        one_scan[:2] + b"\xff\x01" + one_scan[2:],
    ):
        assert count_scans(same) == 1
    assert count_scans(pictures.a_scan_bomb(MAX_JPEG_SCANS)) >= MAX_JPEG_SCANS
    assert count_scans(b"\xff\xd8\xff") == 0


JPEG_COMMENT, PNG_TEXT = b"\xff\xfe\0\2", b"\0\0\0\0teSt\0\0\0\0"


@pytest.mark.parametrize(
    ("declared", "part", "at", "parts", "limit"),
    [
        (JPEG, JPEG_COMMENT, 2, sum(1 for _ in jpeg.segments(SMALL[JPEG])), MAX_JPEG_SEGMENTS),
        (PNG, PNG_TEXT, 33, 3, MAX_PNG_CHUNKS),
    ],
)
def test_probe_rejects_too_many_parts(declared: ContentType, part: bytes, at: int, parts: int, limit: int) -> None:
    head, tail = SMALL[declared][:at], SMALL[declared][at:]
    probe(head + part * (limit - parts) + tail)
    assert probe_rejection(head + part * (limit - parts + 1) + tail) is Reason.TOO_COMPLEX


@pytest.mark.parametrize("padding", [b"\xff", b"\0", b"\xff\0", b"\xff\x01"])
def test_probe_rejects_too_much_padding_in_jpeg(padding: bytes) -> None:
    head, tail = SMALL[JPEG][:20], SMALL[JPEG][20:]
    allowed = MAX_JPEG_PADDING // len(padding)
    probe(head + padding * allowed + tail)
    for content in (head + padding * (allowed + 1) + tail, head + padding * (allowed + 1)):
        assert probe_rejection(content) is Reason.TOO_COMPLEX


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (IndexError("x"), Reason.CORRUPT),
        (struct.error("x"), Reason.CORRUPT),
        (RecursionError("x"), Reason.CORRUPT),
        (SyntaxError("x"), Reason.CORRUPT),
        (OSError("not \udcff unicode"), Reason.CORRUPT),
        (MemoryError(), Reason.TOO_COMPLEX),
        (Image.DecompressionBombError("x"), Reason.CORRUPT),
        (KeyboardInterrupt(), Reason.CORRUPT),
        (SystemExit(0), Reason.CORRUPT),
    ],
    ids=repr,
)
def test_render_rejects_any_exception(monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: Reason) -> None:
    def raising(*_: object, keep_master: bool, keep_animation: bool) -> RenderResult:
        raise error

    monkeypatch.setattr(render, "render", raising)
    assert rejection_of(PillowImages(), SMALL[JPEG]).reason is reason
