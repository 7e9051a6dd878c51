"""What is refused, why, and that nothing but a refusal ever comes out."""

import struct
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product

import pytest
from PIL import Image

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import ContentType, Reason, Slot
from profile_media.domain.policy import MAX_JPEG_PADDING, MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS, MAX_PIXELS, MAX_PNG_CHUNKS
from profile_media.imaging import PillowImages, answer, render
from profile_media.imaging.probe import probe, segments, sniff
from profile_media.imaging.sandbox import SandboxLimits
from tests import pictures
from tests.hostile.foreign import FILES

JPEG, PNG, WEBP, GIF, AVIF = (
    ContentType.JPEG,
    ContentType.PNG,
    ContentType.WEBP,
    ContentType.GIF,
    ContentType.AVIF,
)

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


def refusal(images: PillowImages, content: bytes, declared: ContentType = JPEG, slot: Slot = Slot.AVATAR) -> Reason:
    with pytest.raises(ImageUnacceptable) as refused:
        images.render(content, declared, slot)
    assert refused.value.detail
    return refused.value.reason


@pytest.mark.parametrize("name", FILES)
def test_other_formats_are_refused_unseen(name: str) -> None:
    for declared in ContentType:
        with pytest.raises(ImageUnacceptable) as refused:
            probe(FILES[name], declared)
        assert refused.value.reason is Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(("declared", "actual"), list(product(ContentType, ContentType)))
def test_what_is_declared_must_be_what_it_is(declared: ContentType, actual: ContentType) -> None:
    assert sniff(SMALL[actual]) is actual
    if declared is actual:
        probe(SMALL[actual], declared)
        return
    with pytest.raises(ImageUnacceptable) as refused:
        probe(SMALL[actual], declared)
    assert refused.value.reason is Reason.TYPE_MISMATCH


def test_a_neutral_container_is_avif_if_it_says_so() -> None:
    neutral = SMALL[AVIF][:8] + b"mif1" + SMALL[AVIF][12:]
    assert sniff(neutral) is AVIF
    assert sniff(b"\xff\xff\xff\xffftypmif1\0\0\0\0" + b"heic" * 100_000 + b"avif") is None


@pytest.mark.parametrize("size", [(16_383, 16_383), (12_001, 20), (20, 12_001), (5_001, 5_000)])
@pytest.mark.parametrize(
    ("declared", "claiming"),
    [(PNG, pictures.a_png_claiming), (GIF, pictures.a_gif_claiming), (WEBP, pictures.a_webp_claiming)],
)
def test_the_caps_on_sides_and_pixels(
    images: PillowImages, declared: ContentType, claiming: Callable[[int, int], bytes], size: tuple[int, int]
) -> None:
    assert refusal(images, claiming(*size), declared) is Reason.TOO_MANY_PIXELS


def test_jpegs_cap_is_its_own(images: PillowImages) -> None:
    assert refusal(images, pictures.a_jpeg_claiming(10_000, 5_001)) is Reason.TOO_MANY_PIXELS
    assert MAX_PIXELS[JPEG] == 10_000 * 5_000
    images.render(pictures.a_jpeg_claiming(10_000, 2_000), JPEG, Slot.AVATAR)  # over PNG's cap and under its own


def test_refusing_a_flood_takes_next_to_no_memory_or_time() -> None:
    frugal = PillowImages(SandboxLimits(cpu_seconds=1, memory_mib=16))
    for claiming, declared in ((pictures.a_png_claiming, PNG), (pictures.a_gif_claiming, GIF)):
        assert refusal(frugal, claiming(65_500, 65_500), declared) is Reason.TOO_MANY_PIXELS
    assert refusal(frugal, pictures.a_webp_claiming(16_384, 16_384), WEBP) is Reason.TOO_MANY_PIXELS
    assert refusal(frugal, pictures.a_jpeg_claiming(65_500, 65_500)) is Reason.TOO_MANY_PIXELS


def test_a_picture_that_needs_more_memory_than_allowed() -> None:
    # In a process of its own: what this one has freed would be the child's to use, and it is a lot by now.
    program = """
import sys
from PIL import Image
from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import ContentType, Slot
from profile_media.imaging import PillowImages
from profile_media.imaging.sandbox import SandboxLimits
from tests import pictures
from tests.hostile.foreign import FILES
large = pictures.a_file(ContentType.GIF, Image.new("L", (5000, 5000)))
try:
    PillowImages(SandboxLimits(memory_mib=16)).render(large, ContentType.GIF, Slot.AVATAR)
except ImageUnacceptable as refused:
    sys.stdout.write(refused.reason)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == Reason.TOO_COMPLEX


@pytest.mark.parametrize("size", [(15, 400), (400, 15), (1, 1)])
def test_too_small(images: PillowImages, size: tuple[int, int]) -> None:
    assert refusal(images, pictures.a_png(*size), PNG) is Reason.TOO_SMALL


def test_a_scan_bomb_is_counted_and_not_decoded(images: PillowImages) -> None:
    bomb = pictures.a_scan_bomb()
    assert len(bomb) < 60_000
    started = time.process_time()
    assert refusal(images, bomb) is Reason.TOO_COMPLEX
    assert time.process_time() - started < 1  # a thousand times what counting takes, a third of what decoding does


def scans(jpeg: bytes) -> int:
    return [code for _, code in segments(jpeg)].count(0xDA)


def test_real_progressive_pictures_have_few_scans(images: PillowImages) -> None:
    progressive = pictures.a_jpeg(320, 240, progressive=True)
    assert 6 <= scans(progressive) <= 20
    images.render(progressive, JPEG, Slot.AVATAR)


def test_scans_are_counted_as_the_decoder_meets_them() -> None:
    one, ten = SMALL[JPEG], pictures.a_jpeg(96, 64, progressive=True)
    assert scans(one) == 1
    inside = b"\xff\xe1" + struct.pack("!H", len(ten) + 2) + ten
    assert scans(one[:2] + inside + one[2:]) == 1  # a thumbnail does not count
    assert scans(one + ten) == 1  # nor does a further picture
    assert scans(one + b"\0\0" + ten[2:]) == 1  # nor whatever else follows
    assert scans(one[:2] + b"\xff\xff\xff" + one[2:]) == 1  # fill bytes
    assert scans(one[:2] + b"\xff\x01" + one[2:]) == 1  # a marker without a length
    assert scans(pictures.a_scan_bomb(MAX_JPEG_SCANS)) >= MAX_JPEG_SCANS
    assert scans(b"\xff\xd8\xff") == 0


def test_parts_are_counted_up_to_their_limits() -> None:
    comment, text = b"\xff\xfe\0\2", b"\0\0\0\0teSt\0\0\0\0"
    jpeg, own = SMALL[JPEG], sum(1 for _ in segments(SMALL[JPEG]))
    png, own_chunks = SMALL[PNG], 3
    for limit, part, good, parts in (
        (MAX_JPEG_SEGMENTS, comment, jpeg, own),
        (MAX_PNG_CHUNKS, text, png, own_chunks),
    ):
        at, declared = (2, JPEG) if good is jpeg else (33, PNG)
        probe(good[:at] + part * (limit - parts) + good[at:], declared)
        with pytest.raises(ImageUnacceptable) as refused:
            probe(good[:at] + part * (limit - parts + 1) + good[at:], declared)
        assert refused.value.reason is Reason.TOO_COMPLEX


@pytest.mark.parametrize("padding", [b"\xff", b"\0", b"\xff\0", b"\xff\x01"])
def test_what_belongs_to_nothing_in_a_jpeg_has_a_limit(padding: bytes) -> None:
    jpeg = SMALL[JPEG][:20], SMALL[JPEG][20:]
    most = MAX_JPEG_PADDING // len(padding)
    probe(padding.join([jpeg[0], jpeg[1]]), JPEG)
    probe(jpeg[0] + padding * most + jpeg[1], JPEG)
    for over in (jpeg[0] + padding * (most + 1) + jpeg[1], jpeg[0] + padding * (most + 1)):
        with pytest.raises(ImageUnacceptable) as refused:
            probe(over, JPEG)
        assert refused.value.reason is Reason.TOO_COMPLEX


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (IndexError("x"), Reason.CORRUPT),
        (struct.error("x"), Reason.CORRUPT),
        (RuntimeError("x"), Reason.CORRUPT),
        (RecursionError("x"), Reason.CORRUPT),
        (SyntaxError("x"), Reason.CORRUPT),
        (OverflowError("x"), Reason.CORRUPT),
        (NotImplementedError(), Reason.CORRUPT),
        (OSError("not \udcff unicode"), Reason.CORRUPT),
        (MemoryError(), Reason.TOO_COMPLEX),
        (Image.DecompressionBombError("x"), Reason.CORRUPT),
        (KeyboardInterrupt(), Reason.CORRUPT),
        (SystemExit(0), Reason.CORRUPT),
    ],
    ids=repr,
)
def test_whatever_decoding_raises_is_a_refusal(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: Reason
) -> None:
    def raising(content: bytes, content_type: ContentType, slot: Slot, *, keep_master: bool) -> answer.Made:
        raise error

    monkeypatch.setattr(render, "render", raising)
    assert refusal(PillowImages(), SMALL[JPEG]) is reason
