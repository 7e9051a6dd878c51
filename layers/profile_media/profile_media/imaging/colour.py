"""Convert pixels to sRGB. Runs in the sandbox's child."""

from functools import lru_cache
from io import BytesIO
from types import MappingProxyType

from PIL import Image, ImageCms

from profile_media.domain.policy import MAX_PROFILE_BYTES
from profile_media.imaging import high_range
from profile_media.imaging.profiles import HIGH_RANGE, CodedColours, coded_profile

_MODE_OF_COLOUR_SPACE = MappingProxyType({"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"})
"""The Pillow mode that an ICC profile of each colour space describes."""


type Profile = bytes | CodedColours | None
"""The colours of a picture: an ICC profile, numbers, or None for sRGB."""


def to_srgb(image: Image.Image, profile: Profile) -> Image.Image:
    """Return the image as RGB or RGBA in sRGB. A profile that is broken or does not fit the image is ignored."""
    alpha = image.getchannel("A") if image.mode in {"LA", "RGBA"} else None
    colours = _to_mode(image, image.mode.removesuffix("A"))
    if isinstance(profile, CodedColours):
        colours = _apply_coded(colours, profile)
    elif profile is not None and len(profile) <= MAX_PROFILE_BYTES:
        colours = _apply_profile(colours, profile)
    rgb = _to_mode(colours, "RGB")
    if alpha is not None:
        rgb.putalpha(alpha)
    return rgb


def _apply_coded(colours: Image.Image, coded: CodedColours) -> Image.Image:
    """Return the colours converted to sRGB, through a table for high dynamic range and through a profile otherwise."""
    if coded.transfer in HIGH_RANGE:
        return high_range.convert(_to_mode(colours, "RGB"), coded)
    profile = coded_profile(coded)
    return colours if profile is None else _apply_profile(colours, profile)


def _apply_profile(colours: Image.Image, profile: bytes) -> Image.Image:
    """Return the colours converted to sRGB, or unchanged if the profile is sRGB, broken or of another colour space."""
    try:
        transform = _build_transform(profile)
        if transform is None:
            return colours
        if (colours.mode, transform.input_mode) == ("L", "RGB"):
            colours = colours.convert("RGB")
        return transform.apply(colours) if colours.mode == transform.input_mode else colours
    except Exception:
        return colours


@lru_cache(maxsize=1)
def _build_transform(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """Return the transform to sRGB; None for sRGB itself, the most common profile, which needs no conversion."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    if (source.profile.profile_description or "").startswith("sRGB"):
        return None
    mode = _MODE_OF_COLOUR_SPACE[source.profile.xcolor_space.strip()]
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")


def _to_mode(image: Image.Image, mode: str) -> Image.Image:
    """Convert to a mode without copying an image that has it."""
    return image if image.mode == mode else image.convert(mode)
