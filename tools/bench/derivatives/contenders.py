"""The contenders that run in Python: this service's pipeline, and Pillow as tutorials use it. sharp is in sharp.mjs.

Each gets the bytes of a file and returns the bytes of the derivatives. A contender imports what it needs when it is
made, so that its process holds nothing of the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from profile_media.domain.formats import ContentType
from profile_media.domain.framing import Focus
from profile_media.domain.model import MASTER, Slot
from profile_media.domain.policy import SIZES, Size

QUALITY, MASTER_QUALITY = 80, 90

CENTRE = Focus(0.5, 0.5)
"""All contenders crop the centre."""


@dataclass(frozen=True)
class Job:
    """The derivatives of a slot, with or without the master."""

    name: str
    slot: Slot
    master: bool = False

    @property
    def sizes(self) -> tuple[Size, ...]:
        return SIZES[self.slot]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(size.name for size in self.sizes) + ((MASTER,) if self.master else ())


JOBS: Mapping[str, Job] = {
    "A": Job("A", Slot.AVATAR),
    "B": Job("B", Slot.COVER_IMAGE),
    "C": Job("C", Slot.AVATAR, master=True),
}

type Contender = Callable[[bytes, ContentType, Job, int], list[bytes]]
"""Takes content, type, job and the master's longest side. Returns files in the order of the job's names."""


def guarded() -> Contender:
    """Return the pipeline as it runs in production: in the sandbox."""
    from profile_media.imaging import PillowImages  # noqa: PLC0415

    def make(content: bytes, content_type: ContentType, job: Job, _: int) -> list[bytes]:
        rendered = PillowImages(keep_master=job.master).render(content, job.slot, CENTRE)
        return [file for _, file in rendered.derivatives]

    return make


def unguarded() -> Contender:
    """Return the pipeline without the sandbox."""
    from profile_media.imaging.render import render  # noqa: PLC0415

    def make(content: bytes, content_type: ContentType, job: Job, _: int) -> list[bytes]:
        made = render(content, content_type, job.slot, CENTRE, keep_master=job.master)
        return [image.content for image in made.images]

    return make


def tutorial() -> Contender:
    """Return Pillow as most tutorials use it: `ImageOps.fit` from full resolution for each size."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = None

    def make(content: bytes, _: ContentType, job: Job, master_side: int) -> list[bytes]:
        picture = ImageOps.exif_transpose(Image.open(BytesIO(content))).convert("RGB")
        made = [
            _saved(ImageOps.fit(picture, (size.width, size.height), Image.Resampling.LANCZOS), "WEBP", QUALITY)
            for size in job.sizes
        ]
        if job.master:
            picture.thumbnail((master_side, master_side), Image.Resampling.LANCZOS)
            made.append(_saved(picture, "JPEG", MASTER_QUALITY))
        return made

    return make


def _saved(picture: Any, kind: str, quality: int) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, quality=quality)
    return stream.getvalue()


OURS, UNGUARDED, TUTORIAL = "ours", "ours, without the sandbox", "Pillow, tutorial"
CONTENDERS: Mapping[str, Callable[[], Contender]] = {OURS: guarded, UNGUARDED: unguarded, TUTORIAL: tutorial}
