"""The parent accepts only messages that the child's code can have written."""

from dataclasses import replace

import pytest

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.model import MASTER, Reason, Slot
from profile_media.imaging.child_protocol import RenderResult, pack_rejection, pack_result, unpack
from profile_media.imaging.metadata import is_pixels_only
from profile_media.imaging.render import render
from tests import pictures

SLOT = Slot.COVER_IMAGE


@pytest.fixture(scope="module")
def result() -> RenderResult:
    return render(pictures.a_png(300, 200, "RGBA"), ContentType.PNG, SLOT)


def rejection_of(message: bytes) -> ImageUnacceptable:
    with pytest.raises(ImageUnacceptable) as rejected:
        unpack(message, SLOT)
    return rejected.value


def test_unpack_returns_packed_result(result: RenderResult) -> None:
    assert unpack(pack_result(result), SLOT) == result
    assert [image.name for image in result.images] == ["full", "small", MASTER]


def test_unpack_rejects_missing_and_unexpected_master(result: RenderResult) -> None:
    without_master = replace(result, images=result.images[:-1])
    assert unpack(pack_result(without_master), SLOT, keep_master=False) == without_master
    assert rejection_of(pack_result(without_master)).reason is Reason.CORRUPT
    with pytest.raises(ImageUnacceptable):
        unpack(pack_result(result), SLOT, keep_master=False)


@pytest.mark.parametrize("reason", Reason)
def test_unpack_raises_packed_rejection(reason: Reason) -> None:
    rejection = rejection_of(pack_rejection(reason, "why " * 100))
    assert rejection.reason is reason
    assert rejection.detail == ("why " * 50)


def test_unpack_rejects_truncated_and_extended_message(result: RenderResult) -> None:
    message = pack_result(result)
    for end in [*range(64), *range(64, len(message), 997), len(message) - 1]:
        assert rejection_of(message[:end]).reason is Reason.CORRUPT
    assert rejection_of(message + b"\0").reason is Reason.CORRUPT


def test_unpack_rejects_unexpected_images(result: RenderResult) -> None:
    full, small, master = result.images
    for images in (
        (small, full, master),
        (full, replace(small, width=751), master),
        (full, replace(small, height=0), master),
        (full, replace(small, content_type=ContentType.JPEG), master),
        (full, small, replace(master, width=2049)),
        (full, small, replace(master, height=0)),
        (full, small, replace(master, content_type=ContentType.JPEG)),
        (full, replace(small, content=b"<html>"), master),
        (full, replace(small, content=b""), master),
    ):
        assert rejection_of(pack_result(replace(result, images=images))).reason is Reason.CORRUPT


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_is_pixels_only_finds_webp_metadata(mode: str) -> None:
    picture = pictures.a_picture(32, 32, mode)
    bare = pictures.a_file(ContentType.WEBP, picture)
    assert is_pixels_only(bare, ContentType.WEBP)
    assert is_pixels_only(pictures.a_file(ContentType.WEBP, picture, lossless=True), ContentType.WEBP)
    for content in (
        bare + b"trailing",
        bare[:-1],
        pictures.a_file(ContentType.WEBP, picture, exif=pictures.exif()),
        pictures.a_file(ContentType.WEBP, picture, xmp=b"<x/>"),
        pictures.a_file(ContentType.WEBP, picture, icc_profile=pictures.a_display_p3_profile()),
        pictures.a_file(ContentType.PNG, picture),
        b"",
    ):
        assert not is_pixels_only(content, ContentType.WEBP)


def test_is_pixels_only_finds_jpeg_metadata() -> None:
    picture = pictures.a_picture(32, 32)
    bare = pictures.a_file(ContentType.JPEG, picture)
    assert is_pixels_only(bare, ContentType.JPEG)
    for content in (
        bare + b"trailing",
        bare + bare,
        bare[:-1],
        bare[:-2],
        bare[:20],
        b"",
        pictures.a_file(ContentType.JPEG, picture, exif=pictures.exif()),
        pictures.a_file(ContentType.JPEG, picture, comment=b"x"),
        pictures.a_file(ContentType.JPEG, picture, icc_profile=pictures.a_display_p3_profile()),
        pictures.a_file(ContentType.JPEG, picture, progressive=True),
        pictures.a_file(ContentType.PNG, picture),
    ):
        assert not is_pixels_only(content, ContentType.JPEG)
