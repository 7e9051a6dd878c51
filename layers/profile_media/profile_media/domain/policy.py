"""What the service takes and what it makes, as tables with reasons.

Deployments set sizes, lifetimes and counts (`Limits`); what the decoders are exposed to is fixed here.
"""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from profile_media.domain.model import ContentType, Slot

SMALLEST_UPLOAD = 1
"""Bytes; the lower end of the grant's content-length-range."""

MAX_OWNER_BYTES = 255
"""Bytes of a user's id in UTF-8: what OpenID Connect allows a subject, and short enough for any object key."""

MAX_DIRECT_BYTES = 4 * 1024 * 1024
"""Of a picture sent through the API: Lambda takes 6 MB a call, base64 and headers included."""

MIN_SIDE = 16
"""Pixels. Below this nothing recognisable is left to enlarge."""

MAX_SIDE = 12_000
"""Pixels. No camera sensor has a longer side; decoders allocate per row before they fail."""

MAX_PIXELS = MappingProxyType(
    {
        # A scaled JPEG decode never holds the full picture: 50 million pixels peak at about 230 MB.
        ContentType.JPEG: 50_000_000,
        # These decode whole, at 4 bytes a pixel and up to twice over: 25 million pixels peak at about 400 MB.
        ContentType.PNG: 25_000_000,
        ContentType.WEBP: 25_000_000,
        ContentType.GIF: 25_000_000,
        ContentType.AVIF: 25_000_000,
    }
)
"""Pixels per format: memory follows pixels, not file size (34 bytes of WebP can claim 16,384 x 16,384)."""

MAX_JPEG_SCANS = 64
"""A progressive JPEG repeats work per scan: 30 KB can hold thousands. Real pictures have at most 20."""

MAX_JPEG_SEGMENTS = 4096
"""Segments cost time each, however empty: 10 MiB can hold 2.6 million. The largest real ones hold 64 KiB, so this many
are 256 MiB of them."""

MAX_JPEG_PADDING = 64 * 1024
"""Bytes before a JPEG's first scan that belong to nothing; decoders look at them one by one."""

MAX_PNG_CHUNKS = 65_536
"""As for segments. Encoders put thousands of bytes into each; test files with one byte in each have a thousand."""


WEBP_QUALITY = 80
"""Encoder quality of the shown derivatives: what the published comparisons use."""


@dataclass(frozen=True, slots=True)
class Size:
    """One derivative to make: a centre crop to exactly these pixels."""

    name: str
    width: int
    height: int
    quality: int = WEBP_QUALITY


SIZES = MappingProxyType(
    {
        Slot.AVATAR: (
            Size("full", 512, 512),
            Size("thumb", 256, 256),
            Size("small", 128, 128),
            Size("icon", 64, 64),
        ),
        Slot.COVER_IMAGE: (
            Size("full", 1500, 500),
            Size("small", 750, 250),
        ),
    }
)
"""The derivatives of each slot, largest first."""

MASTER_SIDE = 2048
"""Pixels; the longest side of the master, which is never enlarged to it."""

MASTER_QUALITY = 90
"""Encoder quality of the master: later sizes are made from it, so it must survive a second encode."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a deployment chooses: sizes in bytes, counts per user."""

    max_bytes: MappingProxyType[Slot, int] = MappingProxyType(
        {Slot.AVATAR: 10 * 1024 * 1024, Slot.COVER_IMAGE: 10 * 1024 * 1024}
    )
    open_intents: int = 5
    intents_per_hour: int = 30


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things last that nothing holds on to."""

    pending: timedelta = timedelta(hours=1)
    settled: timedelta = timedelta(hours=24)
    """Of a ready upload that nobody binds, and of a rejected one."""
    grant: timedelta = timedelta(minutes=5)
    idempotency: timedelta = timedelta(hours=24)
