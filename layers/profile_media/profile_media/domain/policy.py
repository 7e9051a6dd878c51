"""The limits of the service and the sizes of its derivatives, as tables with reasons.

Each deployment sets `Limits` and `Lifetimes`. The limits on hostile files are constants, the same for all deployments.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from profile_media.domain.model import MASTER, Derivative, Slot

SMALLEST_UPLOAD = 1
"""Bytes: the lower end of the content-length-range in a presigned POST."""

MAX_OWNER_BYTES = 255
"""Bytes of a user id in UTF-8: the most that OpenID Connect allows for a subject, and short enough for object keys."""

MAX_DIRECT_BYTES = 4 * 1024 * 1024
"""Bytes of a picture that is sent through the API. Lambda accepts 6 MB a call, including base64 and headers."""

MAX_SIDE = 30_000
"""Pixels. Longer than phone panoramas; decoders allocate memory per row before they fail."""

MAX_BUFFERED_JPEG_PIXELS = 50_000_000
"""Pixels of a JPEG that is progressive or has several scans. At every scale libjpeg holds all of its coefficients: in
CMYK, 8 bytes a pixel. 650 MiB were measured for this many pixels, decoded in full."""

MAX_PROFILE_BYTES = 1024 * 1024
"""Bytes of an ICC profile. Profiles of real devices have at most a few hundred thousand; a longer one is ignored."""

MIN_CROP = 16
"""Pixels of the shorter side of a crop that a client chooses. Less shows nothing recognisable."""

MAX_COORDINATE = 1_000_000
"""Pixels. No number in a crop may be larger, whatever the limits on pictures are."""

MAX_ALT_TEXT = 420
"""Characters: about the most that screen readers read without a pause, and small enough for rows."""

MAX_WHOLE_JPEG_PIXELS = 50_000_000
"""Pixels of a JPEG that may be decoded in full, which a small crop of a photograph needs: up to 230 MiB. A larger one
is decoded at half of its resolution or less."""

MAX_JPEG_SCANS = 64
"""Every scan of a progressive JPEG costs work, and 30 KB can hold thousands. Real pictures have at most 20."""

MAX_JPEG_SEGMENTS = 4096
"""Every segment costs time, and 50 MiB can hold 13 million empty ones. Real segments hold up to 64 KiB."""

MAX_JPEG_PADDING = 64 * 1024
"""Bytes before the first scan of a JPEG that belong to no segment. Decoders read them one by one."""

MAX_PNG_CHUNKS = 65_536
"""The same limit for PNG. Encoders put thousands of bytes into each chunk."""

WEBP_QUALITY = 80
"""Encoder quality of the public derivatives: the value that published comparisons use."""

# The limits of animations. A picture that exceeds one is accepted, with still derivatives only.

MAX_ANIMATION_FRAMES = 120
"""Ten seconds at the 12 frames per second that most GIFs have."""

MAX_ANIMATION_MS = 30_000
"""Milliseconds from the first to the last frame. Longer ones are films."""

MAX_ANIMATION_SCREEN = 4_000_000
"""Pixels of one frame. Decoders hold two or three of them, beside the first one for the still derivatives."""

MAX_ANIMATION_PIXELS = 75_000_000
"""Pixels of all frames, as decoded: about a second of CPU time. That is 120 frames of 790 x 790."""

MAX_ANIMATION_OUTPUT = 24_000_000
"""Pixels of all frames, as encoded: at most 1.3 s of CPU time. That is 91 frames of an avatar, 32 of a cover image."""

MAX_ANIMATION_BYTES = 2 * 1024 * 1024
"""Bytes of the animated derivative. A page that shows several avatars loads each of them."""

ANIMATION_QUALITY = 70
"""Encoder quality of the animated derivative. Single frames are seen for a moment."""


@dataclass(frozen=True, slots=True)
class Size:
    """One derivative of a slot: a part of the picture in exactly these pixels."""

    name: str
    width: int
    height: int
    quality: int = WEBP_QUALITY
    default: bool = False
    """Whether answers that show one picture of the slot use this size. Each slot has exactly one default size."""


SIZES = MappingProxyType(
    {
        Slot.AVATAR: (
            Size("full", 512, 512, default=True),
            Size("thumb", 256, 256),
            Size("small", 128, 128),
            Size("icon", 64, 64),
        ),
        Slot.COVER_IMAGE: (
            Size("full", 1500, 500, default=True),
            Size("small", 750, 250),
        ),
    }
)
"""The derivatives of each slot, largest first."""

THUMBNAIL = "thumb"
"""The name of the derivative that dialects call the thumbnail."""

MASTER_SIDE = 2048
"""Pixels of the longest side of the master. Smaller pictures are not enlarged."""

MASTER_QUALITY = 90
"""Encoder quality of the master: high, because new sizes made from it are encoded a second time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that a deployment sets: bytes per picture, counts per user."""

    max_bytes: MappingProxyType[Slot, int] = MappingProxyType(
        {Slot.AVATAR: 20 * 1024 * 1024, Slot.COVER_IMAGE: 20 * 1024 * 1024}
    )
    open_intents: int = 20
    intents_per_hour: int = 60


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """The lifetimes of presigned POSTs, idempotency keys, and rows of unbound uploads."""

    pending: timedelta = timedelta(hours=1)
    settled: timedelta = timedelta(hours=24)
    """The lifetime of a rejected upload, and of a ready upload that is not bound."""
    grant: timedelta = timedelta(minutes=5)
    idempotency: timedelta = timedelta(hours=24)


def default_derivative(slot: Slot, derivatives: Sequence[Derivative]) -> Derivative:
    """Return the derivative for answers that show one picture of the slot.

    An upload that was processed before its slot had this size shows its first public derivative.
    """
    return _find(next(size.name for size in SIZES[slot] if size.default), derivatives)


def thumbnail_derivative(slot: Slot, derivatives: Sequence[Derivative]) -> Derivative:
    """Return the thumbnail, or the default derivative if the slot has no thumbnail."""
    thumbnail = next((each for each in derivatives if each.name == THUMBNAIL), None)
    return thumbnail or default_derivative(slot, derivatives)


def _find(name: str, derivatives: Sequence[Derivative]) -> Derivative:
    public = [each for each in derivatives if each.name != MASTER and not each.is_animated]
    return next((each for each in public if each.name == name), public[0])
