"""Derivatives have the right sizes, orientation, colours and transparency, and contain no metadata."""

import subprocess
import sys
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin

from profile_media.domain.formats import FORMATS, ContentType
from profile_media.domain.keys import digest
from profile_media.domain.model import MASTER, Slot
from profile_media.domain.policy import MASTER_SIDE, SIZES
from profile_media.imaging import PillowImages
from profile_media.imaging.metadata import is_pixels_only
from profile_media.imaging.render import render
from tests import pictures
from tests.unit.imaging.files import contents, difference, jpeg_segments, opened, pixels, webp_chunks

MAX_DIFFERENCE = 3
"""The mean difference of two encodings of one picture, in steps of 256. A wrong flip differs by more than 10."""

SAMPLES = {
    ContentType.JPEG: pictures.a_jpeg,
    ContentType.PNG: pictures.a_png,
    ContentType.WEBP: pictures.a_webp,
    ContentType.GIF: pictures.a_gif,
    ContentType.AVIF: pictures.an_avif,
}


@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("content_type", pictures.TYPES)
def test_render_makes_sizes_of_slot(content_type: ContentType, slot: Slot) -> None:
    made = PillowImages().render(SAMPLES[content_type](), slot)

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
def test_render_turns_jpeg_upright(orientation: int, slot: Slot) -> None:
    scene = pictures.a_picture(660, 880)
    upright = contents(render(pictures.a_jpeg(picture=scene), ContentType.JPEG, slot))

    turned = render(pictures.a_jpeg(picture=scene, orientation=orientation), ContentType.JPEG, slot)

    assert (turned.width, turned.height) == (660, 880)
    for name, content in contents(turned).items():
        assert difference(content, upright[name]) <= MAX_DIFFERENCE, name


@pytest.mark.parametrize("orientation", [3, 5, 6])
@pytest.mark.parametrize("content_type", [ContentType.PNG, ContentType.WEBP, ContentType.AVIF])
def test_render_applies_orientation_of_other_formats_once(content_type: ContentType, orientation: int) -> None:
    scene = pictures.a_picture(240, 320)
    file = pictures.a_file(content_type, pictures.stored(scene, orientation), exif=pictures.exif(orientation))

    made = render(file, content_type, Slot.AVATAR)

    assert (made.width, made.height) == (240, 320)
    assert difference(contents(made)[MASTER], scene) <= MAX_DIFFERENCE


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_render_ignores_unknown_orientation(orientation: int) -> None:
    data = pictures.exif()
    data[0x0112] = orientation
    made = render(pictures.a_jpeg(64, 48, exif=data), ContentType.JPEG, Slot.AVATAR)
    assert (made.width, made.height) == (64, 48)


@pytest.mark.parametrize(
    "broken", [b"", b"MM", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40]
)
def test_render_ignores_broken_exif(broken: bytes) -> None:
    file = pictures.a_jpeg(64, 48, exif=b"Exif\0\0" + broken)
    made = PillowImages().render(file, Slot.AVATAR)  # The child ignores Pillow's warnings.
    assert (made.width, made.height) == (64, 48)


@pytest.mark.assurance
def test_scaled_decode_shows_the_same_as_full_decode() -> None:
    made = render(pictures.a_phone_photograph(), ContentType.JPEG, Slot.AVATAR)

    full = ImageOps.exif_transpose(Image.open(BytesIO(pictures.a_phone_photograph()), formats=["JPEG"]))
    assert (made.width, made.height) == full.size == (3024, 4032)
    files = contents(made)
    largest = full.resize((512, 512), Image.Resampling.LANCZOS, (0, 504, 3024, 3528))
    for size in SIZES[Slot.AVATAR]:
        expected = largest.resize((size.width, size.height), Image.Resampling.LANCZOS)
        assert difference(files[size.name], expected) <= MAX_DIFFERENCE
    assert (
        difference(files[MASTER], full.resize(opened(files[MASTER]).size, Image.Resampling.LANCZOS)) <= MAX_DIFFERENCE
    )

    cover = contents(render(pictures.a_phone_photograph(), ContentType.JPEG, Slot.COVER_IMAGE))
    expected = full.resize((1500, 500), Image.Resampling.LANCZOS, (0, 1512, 3024, 2520))
    assert difference(cover["full"], expected) <= MAX_DIFFERENCE
    assert difference(cover["small"], expected.resize((750, 250), Image.Resampling.LANCZOS)) <= MAX_DIFFERENCE


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # Pillow warns at half of the limit.
@pytest.mark.parametrize(
    ("size", "slot", "with_master", "without_master"),
    [
        ((4032, 3024), Slot.AVATAR, 2, 4),
        ((4032, 3024), Slot.COVER_IMAGE, 2, 2),  # density 1.34
        ((3744, 2808), Slot.COVER_IMAGE, 1, 1),  # half would have density 1.248
        ((8064, 6048), Slot.AVATAR, 4, 8),
        ((8064, 6048), Slot.COVER_IMAGE, 4, 4),
        ((3680, 2760), Slot.AVATAR, 1, 4),  # Half would be too small for the master.
        ((4032, 1500), Slot.AVATAR, 2, 2),
        ((4032, 1276), Slot.AVATAR, 1, 1),  # Half would be too low for the avatar.
        ((640, 480), Slot.AVATAR, 1, 1),
    ],
)
def test_render_decodes_jpeg_at_smallest_sufficient_scale(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], slot: Slot, with_master: int, without_master: int
) -> None:
    def stop(opened: JpegImagePlugin.JpegImageFile) -> None:
        raise StopIteration(opened.size)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", stop)
    for keep_master, expected in ((True, with_master), (False, without_master)):
        with pytest.raises(StopIteration) as stopped:
            render(pictures.a_jpeg_claiming(*size), ContentType.JPEG, slot, keep_master=keep_master)
        assert stopped.value.value == (size[0] // expected, size[1] // expected)


def test_render_makes_no_master_if_it_is_not_kept() -> None:
    photograph = pictures.a_phone_photograph()
    kept, alone = (PillowImages(keep_master=keep).render(photograph, Slot.AVATAR) for keep in (True, False))

    shown = [size.name for size in SIZES[Slot.AVATAR]]
    assert [derivative.name for derivative, _ in kept.derivatives] == [*shown, MASTER]
    assert [derivative.name for derivative, _ in alone.derivatives] == shown
    assert (alone.width, alone.height) == (kept.width, kept.height)
    for (_, content), (_, expected) in zip(alone.derivatives, kept.derivatives, strict=False):
        assert difference(content, opened(expected)) <= MAX_DIFFERENCE


def test_render_lowers_quality_of_sharpened_size(monkeypatch: pytest.MonkeyPatch) -> None:
    photograph = pictures.a_phone_photograph()
    asked: list[int] = []
    save = Image.Image.save

    def saving(picture: Image.Image, *where: Any, **options: Any) -> None:
        asked.append(options["quality"])
        save(picture, *where, **options)

    monkeypatch.setattr(Image.Image, "save", saving)
    for keep_master in (False, True):
        render(photograph, ContentType.JPEG, Slot.AVATAR, keep_master=keep_master)
    assert asked == [79, 80, 80, 80, *(79, 80, 80, 80, 90)]


def test_master_is_whole_picture_within_limit() -> None:
    for size, expected in {
        (3000, 1500): (2048, 1024),
        (2048, 100): (2048, 100),
        (40, 30): (40, 30),
        (5000, 16): (2048, 7),
        (4032, 100): (2016, 50),  # half of the original, decoded in full for the avatar
        (4032, 3024): (2016, 1512),  # half of the original, decoded at half
        (3680, 1840): (2048, 1024),  # Half would be more than 10 % below the limit.
    }.items():
        assert max(expected) <= MASTER_SIDE
        made = render(pictures.a_jpeg(*size), ContentType.JPEG, Slot.AVATAR)
        assert opened(contents(made)[MASTER]).size == expected


@pytest.mark.parametrize("slot", Slot)
@pytest.mark.parametrize("size", [(16, 16), (16, 3000), (3000, 16), (101, 99)])
def test_render_enlarges_small_and_narrow_pictures(size: tuple[int, int], slot: Slot) -> None:
    files = contents(render(pictures.a_png(*size), ContentType.PNG, slot))
    assert [opened(files[wanted.name]).size for wanted in SIZES[slot]] == [
        (wanted.width, wanted.height) for wanted in SIZES[slot]
    ]


def test_render_crops_center() -> None:
    scene = pictures.a_picture(900, 300)
    files = contents(render(pictures.a_png(900, 300), ContentType.PNG, Slot.AVATAR))
    middle = scene.crop((300, 0, 600, 300)).resize((128, 128), Image.Resampling.LANCZOS)
    assert difference(files["small"], middle) <= MAX_DIFFERENCE


@pytest.mark.parametrize("content_type", pictures.TYPES)
def test_render_opens_declared_format_only(monkeypatch: pytest.MonkeyPatch, content_type: ContentType) -> None:
    tried: list[Any] = []

    def recorded(stream: Any, mode: Any = "r", formats: Any = None) -> Any:
        tried.append(formats)
        raise OSError("stop")

    monkeypatch.setattr(Image, "open", recorded)
    with pytest.raises(OSError, match="stop"):
        render(SAMPLES[content_type](), content_type, Slot.AVATAR)
    assert tried == [[FORMATS[content_type].pillow_name]]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_render_keeps_opaque_png(mode: str) -> None:
    scene = pictures.a_picture(320, 240, mode)
    made = contents(render(pictures.a_png(320, 240, mode), ContentType.PNG, Slot.AVATAR))
    expected = pictures.a_picture(320, 240, "L") if mode == "I;16" else scene
    assert opened(made[MASTER]).format == "JPEG"
    assert difference(made[MASTER], expected) <= (15 if mode == "1" else MAX_DIFFERENCE)  # JPEG blurs black and white.


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_render_keeps_transparent_png(mode: str) -> None:
    scene = pictures.a_picture(320, 240, mode)
    made = contents(render(pictures.a_png(320, 240, mode), ContentType.PNG, Slot.AVATAR))
    assert {opened(content).mode for content in made.values()} == {"RGBA"}
    assert opened(made[MASTER]).format == "WEBP"
    assert abs(pixels(made[MASTER], "RGBA")[:, :, 3] - pixels(scene, "RGBA")[:, :, 3]).mean() < 1
    assert difference(_on_grey(opened(made[MASTER])), _on_grey(scene)) <= MAX_DIFFERENCE


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
def test_render_keeps_transparent_colour(mode: str, colour: Any, transparency: Any) -> None:
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


def test_render_keeps_transparent_gif() -> None:
    picture = Image.new("P", (64, 64), 0)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.paste(1, (32, 0, 64, 64))
    made = render(pictures.a_file(ContentType.GIF, picture, transparency=0), ContentType.GIF, Slot.AVATAR)
    master = opened(contents(made)[MASTER])
    assert [master.getchannel("A").getpixel((x, 32)) for x in (4, 60)] == [0, 255]


def test_render_drops_opaque_alpha_channel() -> None:
    for mode in ("RGBA", "LA"):
        picture = pictures.a_picture(64, 48)
        file = pictures.a_file(
            ContentType.PNG, picture.convert("L").convert(mode) if mode == "LA" else picture.convert(mode)
        )
        made = contents(render(file, ContentType.PNG, Slot.AVATAR))
        assert {opened(content).mode for content in made.values()} == {"RGB"}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # Pillow warns at half of the limit.
@pytest.mark.parametrize(
    "side", [300, 1024, 2200, pytest.param(4096, marks=pytest.mark.assurance)]
)  # enlarged, filtered, averaged and filtered, averaged only
def test_render_keeps_hidden_colour_out_of_edges(side: int) -> None:
    picture = Image.new("RGBA", (side, side), (0, 255, 0, 0))  # invisible green
    picture.paste((200, 0, 0, 255), (side // 4, side // 4, side * 3 // 4 + 3, side * 3 // 4 + 3))
    file = pictures.a_file(ContentType.PNG, picture)

    for name, content in contents(render(file, ContentType.PNG, Slot.AVATAR)).items():
        shown = pixels(content, "RGBA")
        visible = shown[shown[:, :, 3] > 64]
        assert np.percentile(visible[:, 1], 99.9) < 60, name  # With a fringe it is 100 to 200.


def test_render_converts_inverted_cmyk() -> None:
    file = pictures.a_jpeg(picture=pictures.a_picture(320, 240, "CMYK"))
    assert b"Adobe" in file  # The marker means inverted values.
    made = contents(render(file, ContentType.JPEG, Slot.AVATAR))
    assert difference(made[MASTER], pictures.a_picture(320, 240)) <= MAX_DIFFERENCE


def test_render_converts_grey_jpeg() -> None:
    made = contents(render(pictures.a_jpeg(picture=pictures.a_picture(320, 240, "L")), ContentType.JPEG, Slot.AVATAR))
    assert difference(made[MASTER], pictures.a_picture(320, 240, "L")) <= MAX_DIFFERENCE


def test_render_applies_colour_profile() -> None:
    profile = ImageCms.ImageCmsProfile(BytesIO(pictures.a_display_p3_profile()))
    wide = Image.new("RGB", (64, 64), (180, 90, 60))
    expected = ImageCms.profileToProfile(wide, profile, ImageCms.createProfile("sRGB"))
    assert isinstance(expected, Image.Image)
    assert difference(expected, wide) > 8  # Ignoring the profile would fail.

    for content_type in (ContentType.JPEG, ContentType.PNG, ContentType.WEBP, ContentType.AVIF):
        file = pictures.a_file(content_type, wide, icc_profile=pictures.a_display_p3_profile())
        made = contents(render(file, content_type, Slot.AVATAR))
        assert difference(made[MASTER], expected) <= MAX_DIFFERENCE
        assert difference(made["icon"], expected) <= MAX_DIFFERENCE


def test_render_applies_profile_to_transparent_and_grey_pictures() -> None:
    profile = pictures.a_display_p3_profile()
    see_through = pictures.a_file(ContentType.PNG, Image.new("RGBA", (64, 64), (180, 90, 60, 128)), icc_profile=profile)
    opaque = pictures.a_file(ContentType.PNG, Image.new("RGB", (64, 64), (180, 90, 60)), icc_profile=profile)
    grey = pictures.a_file(ContentType.PNG, Image.new("L", (64, 64), 90), icc_profile=profile)
    see_through_master, opaque_master, grey_master = (
        opened(contents(render(file, ContentType.PNG, Slot.AVATAR))[MASTER]) for file in (see_through, opaque, grey)
    )
    assert difference(see_through_master, opaque_master) <= MAX_DIFFERENCE
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
    ids=["random", "cut", "other space", "unknown space", "huge", "sRGB"],
)
def test_render_ignores_unusable_profile(profile: bytes) -> None:
    picture = Image.new("RGB", (64, 64), (180, 90, 60))
    made = contents(render(pictures.a_jpeg(picture=picture, icc_profile=profile), ContentType.JPEG, Slot.AVATAR))
    assert difference(made[MASTER], picture) <= MAX_DIFFERENCE


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("content_type", pictures.TYPES)
def test_render_removes_metadata(content_type: ContentType, mode: str) -> None:
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
        assert is_pixels_only(content, ContentType.WEBP if content[:4] == b"RIFF" else ContentType.JPEG)
        assert not set(opened(content).info) & {"exif", "xmp", "icc_profile", "comment"}
        assert not opened(content).getexif()


@pytest.mark.parametrize("content_type", [ContentType.PNG, ContentType.WEBP, ContentType.GIF, ContentType.AVIF])
def test_render_shows_first_frame(content_type: ContentType) -> None:
    made = contents(render(pictures.an_animation(content_type), content_type, Slot.AVATAR))
    assert difference(made[MASTER], pictures.a_picture(320, 240)) <= 2 * MAX_DIFFERENCE


def test_render_shows_first_picture_of_burst() -> None:
    file = pictures.a_phone_burst()
    assert Image.open(BytesIO(file)).format == "MPO"
    made = render(file, ContentType.JPEG, Slot.AVATAR)
    assert (made.width, made.height) == (640, 480)
    assert difference(contents(made)[MASTER], pictures.a_picture()) <= MAX_DIFFERENCE


@pytest.mark.assurance
def test_render_is_deterministic_across_processes() -> None:
    # The new interpreter also shows that the child imports nothing, because it cannot open files.
    program = """
import sys
from profile_media.domain.formats import ContentType
from profile_media.domain.model import Slot
from profile_media.imaging import PillowImages
from tests import pictures
from tests.unit.imaging.test_render import SAMPLES
images = PillowImages()
for content_type in pictures.TYPES:
    for slot in Slot:
        for derivative, _ in images.render(SAMPLES[content_type](), slot).derivatives:
            sys.stdout.write(derivative.digest + "\\n")
"""
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    here = [
        digest(image.content)
        for content_type in pictures.TYPES
        for slot in Slot
        for image in render(SAMPLES[content_type](), content_type, slot).images
    ]
    assert elsewhere.stdout.split() == here


def test_pillow_is_imported_by_constructor_only() -> None:
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
