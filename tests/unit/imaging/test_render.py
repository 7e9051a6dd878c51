"""What comes out: sizes, uprightness, colours, transparency, and nothing but pixels."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin

from profile_media.domain.keys import digest
from profile_media.domain.model import MASTER, ContentType, Slot
from profile_media.domain.policy import MASTER_SIDE, SIZES
from profile_media.imaging import PillowImages, answer
from profile_media.imaging.render import render
from tests import pictures
from tests.unit.imaging.files import contents, difference, jpeg_segments, opened, pixels, webp_chunks

CLOSE = 3
"""Steps of 256 by which two encodings of one picture may differ on average; one wrong flip differs by tens."""

SAMPLES = {
    ContentType.JPEG: pictures.a_jpeg,
    ContentType.PNG: pictures.a_png,
    ContentType.WEBP: pictures.a_webp,
    ContentType.GIF: pictures.a_gif,
    ContentType.AVIF: pictures.an_avif,
}


@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("content_type", ContentType)
def test_every_format_becomes_exactly_the_slots_sizes(content_type: ContentType, slot: Slot) -> None:
    made = PillowImages().render(SAMPLES[content_type](), content_type, slot)

    expected = {size.name: (size.width, size.height) for size in SIZES[slot]}
    expected[MASTER] = (made.width, made.height)
    assert {derivative.name: (derivative.width, derivative.height) for derivative, _ in made.derivatives} == expected
    assert made.content_type is content_type
    for derivative, content in made.derivatives:
        file = opened(content)
        assert Image.MIME[file.format or ""] == derivative.content_type
        assert file.size == (derivative.width, derivative.height)
        assert (derivative.digest, derivative.size) == (digest(content), len(content))
        assert derivative.content_type is (ContentType.JPEG if derivative.name == MASTER else ContentType.WEBP)
    assert made.cost.cpu_ms > 0
    assert 10 < made.cost.peak_mib < 1000


@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright(orientation: int, slot: Slot) -> None:
    scene = pictures.a_picture(660, 880)
    upright = contents(render(pictures.a_jpeg(picture=scene), ContentType.JPEG, slot))

    turned = render(pictures.a_jpeg(picture=scene, orientation=orientation), ContentType.JPEG, slot)

    assert (turned.width, turned.height) == (660, 880)
    for name, content in contents(turned).items():
        assert difference(content, upright[name]) <= CLOSE, name


@pytest.mark.parametrize("orientation", [3, 5, 6])
@pytest.mark.parametrize("content_type", [ContentType.PNG, ContentType.WEBP, ContentType.AVIF])
def test_other_formats_orientation_is_applied_once(content_type: ContentType, orientation: int) -> None:
    scene = pictures.a_picture(240, 320)
    file = pictures.a_file(content_type, pictures.stored(scene, orientation), exif=pictures.exif(orientation))

    made = render(file, content_type, Slot.AVATAR)

    assert (made.width, made.height) == (240, 320)
    assert difference(contents(made)[MASTER], scene) <= CLOSE


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_unknown_orientation_is_upright(orientation: int) -> None:
    data = pictures.exif()
    data[0x0112] = orientation
    made = render(pictures.a_jpeg(64, 48, exif=data), ContentType.JPEG, Slot.AVATAR)
    assert (made.width, made.height) == (64, 48)


@pytest.mark.parametrize(
    "broken", [b"", b"MM", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40]
)
def test_unreadable_exif_data_is_no_reason_to_refuse(broken: bytes) -> None:
    file = pictures.a_jpeg(64, 48, exif=b"Exif\0\0" + broken)
    made = PillowImages().render(file, ContentType.JPEG, Slot.AVATAR)  # where Pillow's warnings are nobody's
    assert (made.width, made.height) == (64, 48)


def test_a_scaled_decode_shows_what_a_full_one_does() -> None:
    made = render(pictures.a_phone_photograph(), ContentType.JPEG, Slot.AVATAR)

    full = ImageOps.exif_transpose(Image.open(_stream(pictures.a_phone_photograph()), formats=["JPEG"]))
    assert (made.width, made.height) == full.size == (3024, 4032)
    files = contents(made)
    largest = full.resize((512, 512), Image.Resampling.LANCZOS, (0, 504, 3024, 3528))
    for size in SIZES[Slot.AVATAR]:
        expected = largest.resize((size.width, size.height), Image.Resampling.LANCZOS)
        assert difference(files[size.name], expected) <= CLOSE
    assert difference(files[MASTER], full.resize(opened(files[MASTER]).size, Image.Resampling.LANCZOS)) <= CLOSE

    cover = contents(render(pictures.a_phone_photograph(), ContentType.JPEG, Slot.COVER_IMAGE))
    expected = full.resize((1500, 500), Image.Resampling.LANCZOS, (0, 1512, 3024, 2520))
    assert difference(cover["full"], expected) <= CLOSE
    assert difference(cover["small"], expected.resize((750, 250), Image.Resampling.LANCZOS)) <= CLOSE


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # Pillow's, at half of the cap
@pytest.mark.parametrize(
    ("size", "slot", "part", "alone"),
    [
        ((4032, 3024), Slot.AVATAR, 2, 4),
        ((4032, 3024), Slot.COVER_IMAGE, 2, 2),  # which leaves 1.34 pixels for each of the cover's
        ((3744, 2808), Slot.COVER_IMAGE, 1, 1),  # half would leave 1.248
        ((8064, 6048), Slot.AVATAR, 4, 8),
        ((8064, 6048), Slot.COVER_IMAGE, 4, 4),
        ((3680, 2760), Slot.AVATAR, 1, 4),  # half would be too small for the master
        ((4032, 1500), Slot.AVATAR, 2, 2),
        ((4032, 1276), Slot.AVATAR, 1, 1),  # and this too flat for the avatar
        ((640, 480), Slot.AVATAR, 1, 1),
    ],
)
def test_a_jpeg_is_decoded_no_larger_than_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], slot: Slot, part: int, alone: int
) -> None:
    """`part` with the master, `alone` without."""

    def stop(opened: JpegImagePlugin.JpegImageFile) -> None:
        raise StopIteration(opened.size)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", stop)
    for keep_master, expected in ((True, part), (False, alone)):
        with pytest.raises(StopIteration) as stopped:
            render(pictures.a_jpeg_claiming(*size), ContentType.JPEG, slot, keep_master=keep_master)
        assert stopped.value.value == (size[0] // expected, size[1] // expected)


def test_where_the_master_is_not_kept_it_is_not_made() -> None:
    photograph = pictures.a_phone_photograph()
    kept, alone = (
        PillowImages(keep_master=keep).render(photograph, ContentType.JPEG, Slot.AVATAR) for keep in (True, False)
    )

    shown = [size.name for size in SIZES[Slot.AVATAR]]
    assert [derivative.name for derivative, _ in kept.derivatives] == [*shown, MASTER]
    assert [derivative.name for derivative, _ in alone.derivatives] == shown
    assert (alone.width, alone.height) == (kept.width, kept.height)
    for (_, content), (_, expected) in zip(alone.derivatives, kept.derivatives, strict=False):
        assert difference(content, opened(expected)) <= CLOSE


def test_what_is_decoded_sparsely_is_encoded_more_finely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only there, and only the size that is: at 1.5 pixels for each of the avatar's, not at 3."""
    asked: list[int] = []
    save = Image.Image.save

    def saving(picture: Image.Image, *where: Any, **options: Any) -> None:
        asked.append(options["quality"])
        save(picture, *where, **options)

    monkeypatch.setattr(Image.Image, "save", saving)
    for keep_master in (False, True):
        render(pictures.a_phone_photograph(), ContentType.JPEG, Slot.AVATAR, keep_master=keep_master)
    assert asked == [81, 80, 80, 80, *(80, 80, 80, 80, 90)]


def test_the_master_is_bounded_and_whole_and_never_enlarged() -> None:
    for size, expected in {
        (3000, 1500): (2048, 1024),
        (2048, 100): (2048, 100),
        (40, 30): (40, 30),
        (5000, 16): (2048, 7),
        (4032, 100): (2016, 50),  # half the original, decoded in full because the avatar needs it
        (4032, 3024): (2016, 1512),  # the same, decoded at half
        (3680, 1840): (2048, 1024),  # half would be more than 10 % below the bound
    }.items():
        assert max(expected) <= MASTER_SIDE
        made = render(pictures.a_jpeg(*size), ContentType.JPEG, Slot.AVATAR)
        assert opened(contents(made)[MASTER]).size == expected


@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("size", [(16, 16), (16, 3000), (3000, 16), (101, 99)])
def test_small_and_extreme_shapes_are_enlarged_to_fit(size: tuple[int, int], slot: Slot) -> None:
    files = contents(render(pictures.a_png(*size), ContentType.PNG, slot))
    assert [opened(files[wanted.name]).size for wanted in SIZES[slot]] == [
        (wanted.width, wanted.height) for wanted in SIZES[slot]
    ]


def test_the_crop_is_the_middle() -> None:
    scene = pictures.a_picture(900, 300)
    files = contents(render(pictures.a_png(900, 300), ContentType.PNG, Slot.AVATAR))
    middle = scene.crop((300, 0, 600, 300)).resize((128, 128), Image.Resampling.LANCZOS)
    assert difference(files["small"], middle) <= CLOSE


@pytest.mark.parametrize("content_type", ContentType)
def test_pillow_tries_the_one_format_and_no_other(monkeypatch: pytest.MonkeyPatch, content_type: ContentType) -> None:
    tried: list[Any] = []

    def recorded(stream: Any, mode: Any = "r", formats: Any = None) -> Any:
        tried.append(formats)
        raise OSError("that is all")

    monkeypatch.setattr(Image, "open", recorded)
    with pytest.raises(OSError, match="that is all"):
        render(SAMPLES[content_type](), content_type, Slot.AVATAR)
    assert [[name.lower() for name in formats] for formats in tried] == [[content_type.removeprefix("image/")]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_opaque_png_modes(mode: str) -> None:
    scene = pictures.a_picture(320, 240, mode)
    made = contents(render(pictures.a_png(320, 240, mode), ContentType.PNG, Slot.AVATAR))
    expected = pictures.a_picture(320, 240, "L") if mode == "I;16" else scene
    assert opened(made[MASTER]).format == "JPEG"
    assert difference(made[MASTER], expected) <= (15 if mode == "1" else CLOSE)  # black and white rings in a JPEG


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_png_modes(mode: str) -> None:
    scene = pictures.a_picture(320, 240, mode)
    made = contents(render(pictures.a_png(320, 240, mode), ContentType.PNG, Slot.AVATAR))
    assert {opened(content).mode for content in made.values()} == {"RGBA"}
    assert opened(made[MASTER]).format == "WEBP"
    assert abs(pixels(made[MASTER], "RGBA")[:, :, 3] - pixels(scene, "RGBA")[:, :, 3]).mean() < 1
    assert difference(_on_grey(opened(made[MASTER])), _on_grey(scene)) <= CLOSE


@pytest.mark.parametrize(
    ("mode", "colour", "transparency"),
    [
        ("RGB", (200, 20, 20), (200, 20, 20)),
        ("L", 77, 77),
        ("1", 0, 0),
        ("P", 3, 3),
        ("P", 3, bytes([255, 255, 255, 0])),
        ("I;16", 0x2020, 0x2020),
    ],
)
def test_one_colour_that_is_transparent(mode: str, colour: Any, transparency: Any) -> None:
    grounds: dict[str, Any] = {"RGB": (0, 0, 255), "L": 250, "1": 1, "P": 9, "I;16": 60000}
    picture = Image.new(mode, (64, 64), grounds[mode])
    if mode == "P":
        picture.putpalette([step for shade in range(256) for step in (shade, 255 - shade, 128)])
    picture.paste(colour, (0, 0, 32, 64))
    file = pictures.a_file(ContentType.PNG, picture, transparency=transparency)

    master = opened(contents(render(file, ContentType.PNG, Slot.AVATAR))[MASTER])

    assert master.mode == "RGBA"
    assert master.getchannel("A").getpixel((4, 32)) == 0
    assert master.getchannel("A").getpixel((60, 32)) == 255


def test_a_transparent_gif_keeps_its_transparency() -> None:
    picture = Image.new("P", (64, 64), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.paste(1, (32, 0, 64, 64))
    made = render(pictures.a_file(ContentType.GIF, picture, transparency=0), ContentType.GIF, Slot.AVATAR)
    master = opened(contents(made)[MASTER])
    assert [master.getchannel("A").getpixel((x, 32)) for x in (4, 60)] == [0, 255]


def test_an_alpha_channel_nothing_shines_through_is_dropped() -> None:
    for mode in ("RGBA", "LA"):
        picture = pictures.a_picture(64, 48)
        file = pictures.a_file(
            ContentType.PNG, picture.convert("L").convert(mode) if mode == "LA" else picture.convert(mode)
        )
        made = contents(render(file, ContentType.PNG, Slot.AVATAR))
        assert {opened(content).mode for content in made.values()} == {"RGB"}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # Pillow's, at half of the cap
@pytest.mark.parametrize("side", [300, 1024, 2200, 4096])  # enlarged, resampled, averaged first, all of it averaged
def test_edges_of_transparency_take_no_colour_from_what_is_hidden(side: int) -> None:
    picture = Image.new("RGBA", (side, side), (0, 255, 0, 0))  # a hidden green
    picture.paste((200, 0, 0, 255), (side // 4, side // 4, side * 3 // 4 + 3, side * 3 // 4 + 3))
    file = pictures.a_file(ContentType.PNG, picture)

    for name, content in contents(render(file, ContentType.PNG, Slot.AVATAR)).items():
        shown = pixels(content, "RGBA")
        visible = shown[shown[:, :, 3] > 64]
        assert np.percentile(visible[:, 1], 99.9) < 60, name  # hidden green fringes the whole edge at 100 to 200


def test_cmyk_as_cameras_and_adobe_write_it() -> None:
    file = pictures.a_jpeg(picture=pictures.a_picture(320, 240, "CMYK"))
    assert b"Adobe" in file  # so the values are stored inverted
    made = contents(render(file, ContentType.JPEG, Slot.AVATAR))
    assert difference(made[MASTER], pictures.a_picture(320, 240)) <= CLOSE


def test_grey_jpeg() -> None:
    made = contents(render(pictures.a_jpeg(picture=pictures.a_picture(320, 240, "L")), ContentType.JPEG, Slot.AVATAR))
    assert difference(made[MASTER], pictures.a_picture(320, 240, "L")) <= CLOSE


def test_colours_of_a_wide_screen_are_kept() -> None:
    profile = ImageCms.ImageCmsProfile(_stream(pictures.a_display_p3_profile()))
    wide = Image.new("RGB", (64, 64), (180, 90, 60))
    expected = ImageCms.profileToProfile(wide, profile, ImageCms.createProfile("sRGB"))
    assert isinstance(expected, Image.Image)
    assert difference(expected, wide) > 8  # so that leaving the profile out would show

    for content_type in (ContentType.JPEG, ContentType.PNG, ContentType.WEBP, ContentType.AVIF):
        file = pictures.a_file(content_type, wide, icc_profile=pictures.a_display_p3_profile())
        made = contents(render(file, content_type, Slot.AVATAR))
        assert difference(made[MASTER], expected) <= CLOSE
        assert difference(made["icon"], expected) <= CLOSE


def test_a_profile_works_beside_transparency_and_on_grey_pictures() -> None:
    profile = pictures.a_display_p3_profile()
    see_through = pictures.a_file(ContentType.PNG, Image.new("RGBA", (64, 64), (180, 90, 60, 128)), icc_profile=profile)
    opaque = pictures.a_file(ContentType.PNG, Image.new("RGB", (64, 64), (180, 90, 60)), icc_profile=profile)
    grey = pictures.a_file(ContentType.PNG, Image.new("L", (64, 64), 90), icc_profile=profile)
    see_through_master, opaque_master, grey_master = (
        opened(contents(render(file, ContentType.PNG, Slot.AVATAR))[MASTER]) for file in (see_through, opaque, grey)
    )
    assert difference(see_through_master, opaque_master) <= CLOSE
    assert see_through_master.getchannel("A").getextrema() == (128, 128)
    red, green, blue = (int(band.getextrema()[0]) for band in grey_master.split())  # type: ignore[arg-type]
    assert max(red, green, blue) - min(red, green, blue) <= 4


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile",
        pictures.a_display_p3_profile()[:200],
        pictures.a_display_p3_profile().replace(b"RGB ", b"CMYK"),
        pictures.a_display_p3_profile().replace(b"RGB ", b"Lab "),
        pictures.a_display_p3_profile() + bytes(1024 * 1024),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["rubbish", "cut", "other space", "unknown space", "huge", "sRGB"],
)
def test_a_profile_that_cannot_be_used_changes_nothing(profile: bytes) -> None:
    picture = Image.new("RGB", (64, 64), (180, 90, 60))
    made = contents(render(pictures.a_jpeg(picture=picture, icc_profile=profile), ContentType.JPEG, Slot.AVATAR))
    assert difference(made[MASTER], picture) <= CLOSE


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("content_type", ContentType)
def test_no_metadata_comes_through(content_type: ContentType, mode: str) -> None:
    if content_type is ContentType.JPEG:
        mode = "RGB"
    planted = {
        "exif": pictures.exif(place=True),
        "xmp": b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>secret</x:xmpmeta>",
        "icc_profile": pictures.a_display_p3_profile(),
        "comment": b"secret",
        "dpi": (300, 300),
    }
    file = pictures.a_file(content_type, pictures.a_picture(64, 64, mode), **planted) + b"PK\x03\x04<script>secret"
    for content in contents(render(file, content_type, Slot.COVER_IMAGE)).values():
        if content[:4] == b"RIFF":
            assert set(webp_chunks(content)) <= {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}
        else:
            assert set(jpeg_segments(content)) <= {0xE0, 0xDB, 0xC0, 0xC4, 0xDA}
        assert answer.is_bare(content, ContentType.WEBP if content[:4] == b"RIFF" else ContentType.JPEG)
        assert not set(opened(content).info) & {"exif", "xmp", "icc_profile", "comment"}
        assert not opened(content).getexif()


@pytest.mark.parametrize("content_type", [ContentType.PNG, ContentType.WEBP, ContentType.GIF, ContentType.AVIF])
def test_the_first_picture_of_an_animation_is_the_one(content_type: ContentType) -> None:
    made = contents(render(pictures.an_animation(content_type), content_type, Slot.AVATAR))
    assert difference(made[MASTER], pictures.a_picture(320, 240)) <= 2 * CLOSE


def test_the_first_picture_of_a_phones_burst_is_the_one() -> None:
    file = pictures.a_phone_burst()
    assert Image.open(_stream(file)).format == "MPO"
    made = render(file, ContentType.JPEG, Slot.AVATAR)
    assert (made.width, made.height) == (640, 480)
    assert difference(contents(made)[MASTER], pictures.a_picture()) <= CLOSE


def test_the_same_bytes_give_the_same_derivatives_in_another_process() -> None:
    # A fresh interpreter, so this also shows that the child needs no module it would have to open a file for.
    program = """
import sys
from profile_media.domain.model import ContentType, Slot
from profile_media.imaging import PillowImages
from tests.unit.imaging.test_render import SAMPLES
images = PillowImages()
for content_type in ContentType:
    for slot in Slot:
        for derivative, _ in images.render(SAMPLES[content_type](), content_type, slot).derivatives:
            sys.stdout.write(derivative.digest + "\\n")
"""
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    here = [
        digest(picture.content)
        for content_type in ContentType
        for slot in Slot
        for picture in render(SAMPLES[content_type](), content_type, slot).pictures
    ]
    assert elsewhere.stdout.split() == here


def test_pillow_is_loaded_with_the_first_renderer_and_not_before() -> None:
    program = """
import sys
import profile_media.imaging
assert "PIL" not in sys.modules
profile_media.imaging.PillowImages()
assert "PIL.AvifImagePlugin" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def _on_grey(picture: Image.Image) -> Image.Image:
    ground = Image.new("RGBA", picture.size, (128, 128, 128, 255))
    return Image.alpha_composite(ground, picture.convert("RGBA"))


def _stream(content: bytes) -> Any:
    from io import BytesIO

    return BytesIO(content)
