"""What the parent takes from a child it does not trust."""

from dataclasses import replace

import pytest
from PIL import Image

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import MASTER, ContentType, Reason, Slot
from profile_media.imaging import answer
from profile_media.imaging.answer import Made, Picture
from profile_media.imaging.render import render
from tests import pictures

SLOT = Slot.COVER_IMAGE


@pytest.fixture(scope="module")
def made() -> Made:
    return render(pictures.a_png(300, 200, "RGBA"), ContentType.PNG, SLOT)


def refused(sent: bytes) -> ImageUnacceptable:
    with pytest.raises(ImageUnacceptable) as refusal:
        answer.read(sent, SLOT)
    return refusal.value


def test_what_is_written_is_read(made: Made) -> None:
    assert answer.read(answer.write_made(made), SLOT) == made
    assert [picture.name for picture in made.pictures] == ["full", "small", MASTER]


def test_a_master_is_taken_only_where_it_is_kept(made: Made) -> None:
    shown = replace(made, pictures=made.pictures[:-1])
    assert answer.read(answer.write_made(shown), SLOT, keep_master=False) == shown
    assert refused(answer.write_made(shown)).reason is Reason.CORRUPT
    with pytest.raises(ImageUnacceptable):
        answer.read(answer.write_made(made), SLOT, keep_master=False)


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_keeps_its_reason(reason: Reason) -> None:
    refusal = refused(answer.write_refusal(reason, "why " * 100))
    assert refusal.reason is reason
    assert refusal.detail == ("why " * 50)


def test_an_answer_cut_or_drawn_out_is_refused(made: Made) -> None:
    whole = answer.write_made(made)
    for cut in [*range(64), *range(64, len(whole), 997), len(whole) - 1]:
        assert refused(whole[:cut]).reason is Reason.CORRUPT
    assert refused(whole + b"\0").reason is Reason.CORRUPT


def test_only_what_was_asked_for_is_taken(made: Made) -> None:
    full, small, master = made.pictures
    for pictures_sent in (
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
        sent = answer.write_made(replace(made, pictures=pictures_sent))
        assert refused(sent).reason is Reason.CORRUPT


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_file_is_bare_or_not(mode: str) -> None:
    picture = pictures.a_picture(32, 32, mode)
    bare = pictures.a_file(ContentType.WEBP, picture)
    lossless = pictures.a_file(ContentType.WEBP, picture, lossless=True)
    assert answer.is_bare(bare, ContentType.WEBP)
    assert answer.is_bare(lossless, ContentType.WEBP)
    for more in (
        bare + b"trailing",
        bare[:-1],
        pictures.a_file(ContentType.WEBP, picture, exif=pictures.exif()),
        pictures.a_file(ContentType.WEBP, picture, xmp=b"<x/>"),
        pictures.a_file(ContentType.WEBP, picture, icc_profile=pictures.a_display_p3_profile()),
        pictures.a_file(ContentType.PNG, picture),
        b"",
    ):
        assert not answer.is_bare(more, ContentType.WEBP)


def test_a_jpeg_file_is_bare_or_not() -> None:
    picture: Image.Image = pictures.a_picture(32, 32)
    bare = pictures.a_file(ContentType.JPEG, picture)
    assert answer.is_bare(bare, ContentType.JPEG)
    for more in (
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
        assert not answer.is_bare(more, ContentType.JPEG)


def test_pictures_are_values() -> None:
    assert Picture("a", ContentType.WEBP, 1, 1, b"x") == Picture("a", ContentType.WEBP, 1, 1, b"x")
