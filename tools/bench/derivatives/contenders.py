"""Those who do the jobs in Python; sharp.mjs has the others. Each is given the file's bytes and answers with files.

What a contender needs is imported with it, so that its process holds nothing of the others'.
"""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from types import MappingProxyType
from typing import Any

from profile_media.domain.model import ContentType
from tools.bench.derivatives.jobs import Job

type Contender = Callable[[bytes, ContentType, Job, int], list[bytes]]
"""Content, type, job, and the master's longest side; answers in the order of the job's names."""

QUALITY, EFFORT, MASTER_QUALITY = 80, 4, 90
DENSITY = 1.25


def pipeline() -> Contender:
    """This project's, in the process that is measured."""
    from profile_media.imaging.render import render  # noqa: PLC0415

    def make(content: bytes, content_type: ContentType, job: Job, _: int) -> list[bytes]:
        made = render(content, content_type, job.slot, keep_master=job.master)
        return [image.content for image in made.images]

    return make


def sandboxed() -> Contender:
    """The same with all that guards it, as the service runs it."""
    from profile_media.imaging import PillowImages  # noqa: PLC0415

    def make(content: bytes, content_type: ContentType, job: Job, _: int) -> list[bytes]:
        rendered = PillowImages(keep_master=job.master).render(content, content_type, job.slot)
        return [file for _, file in rendered.derivatives]

    return make


def tutorial() -> Contender:
    """Pillow as most tutorials have it: upright, then fitted for each size, all from full resolution."""
    from PIL import Image, ImageOps  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = None

    def make(content: bytes, _: ContentType, job: Job, master_side: int) -> list[bytes]:
        picture = ImageOps.exif_transpose(Image.open(BytesIO(content)))
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
        made = [
            _saved(ImageOps.fit(picture, (size.width, size.height), Image.Resampling.LANCZOS), "WEBP", QUALITY)
            for size in job.sizes
        ]
        if job.master:
            picture.thumbnail((master_side, master_side), Image.Resampling.LANCZOS)
            made.append(_saved(picture, "WEBP" if picture.mode == "RGBA" else "JPEG", MASTER_QUALITY))
        return made

    return make


def vips_usual() -> Contender:
    """libvips with a thumbnail call for each size."""
    import pyvips  # noqa: PLC0415

    def make(content: bytes, _: ContentType, job: Job, master_side: int) -> list[bytes]:
        made = [
            _webp(pyvips.Image.thumbnail_buffer(content, size.width, height=size.height, crop="centre"))
            for size in job.sizes
        ]
        return made + ([_master(_within(content, master_side))] if job.master else [])

    return make


def vips_best() -> Contender:
    """libvips, decoding once: the other sizes come from what it keeps in memory."""
    import pyvips  # noqa: PLC0415

    def make(content: bytes, _: ContentType, job: Job, master_side: int) -> list[bytes]:
        largest, *others = job.sizes
        whole = _within(content, master_side).copy_memory() if job.master else None
        options = {"height": largest.height, "crop": "centre"}
        first = (
            whole.thumbnail_image(largest.width, **options)
            if whole
            else pyvips.Image.thumbnail_buffer(content, largest.width, **options)
        ).copy_memory()
        made = [_webp(first)]
        made += [_webp(first.thumbnail_image(size.width, height=size.height, crop="centre")) for size in others]
        return made + ([_master(whole)] if whole else [])

    return make


def floor() -> Contender:
    """What nobody can do without: libjpeg-turbo's decode at the least scale that keeps the quality, and the encodes.

    For other formats it is Pillow's own decode, which nothing built on Pillow can go below. What is encoded was made
    ready before, so nothing is resampled, turned or converted within what is measured.
    """
    import numpy as np  # noqa: PLC0415
    import simplejpeg  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    make_all = pipeline()

    @cache
    def prepared(content: bytes, content_type: ContentType, job: Job) -> list[Image.Image]:
        made = [Image.open(BytesIO(file)) for file in make_all(content, content_type, job, 0)]
        return [Image.fromarray(np.asarray(picture.convert("RGB"))) for picture in made]

    def make(content: bytes, content_type: ContentType, job: Job, master_side: int) -> list[bytes]:
        ready = prepared(content, content_type, job)
        if content_type is ContentType.JPEG:
            simplejpeg.decode_jpeg(content, **_least(content, job, master_side))
        else:
            Image.open(BytesIO(content)).load()
        made = [_saved(picture, "WEBP", QUALITY) for picture in ready[: len(job.sizes)]]
        return made + [_saved(picture, "JPEG", MASTER_QUALITY) for picture in ready[len(job.sizes) :]]

    return make


def _least(content: bytes, job: Job, master_side: int) -> dict[str, Any]:
    """The least resolution to decode: as dense as this pipeline wants it, and the master's where there is one."""
    import simplejpeg  # noqa: PLC0415

    height, width, _, _ = simplejpeg.decode_jpeg_header(content)
    wanted = max(DENSITY * max(size.width / width, size.height / height) for size in job.sizes)
    if job.master:
        wanted = max(wanted, master_side / max(width, height))
    part = max(part for part in (1, 2, 4, 8) if part == 1 or 1 / part >= wanted)
    return {"min_width": width // part, "min_height": height // part, "min_factor": 1}


def _within(content: bytes, side: int) -> Any:
    import pyvips  # noqa: PLC0415

    return pyvips.Image.thumbnail_buffer(content, side, height=side, size="down")


def _webp(picture: Any) -> bytes:
    return bytes(picture.webpsave_buffer(Q=QUALITY, effort=EFFORT, keep="none"))


def _master(picture: Any) -> bytes:
    if picture.hasalpha():
        return bytes(picture.webpsave_buffer(Q=MASTER_QUALITY, effort=0, keep="none"))
    return bytes(picture.jpegsave_buffer(Q=MASTER_QUALITY, subsample_mode="on", optimize_coding=False, keep="none"))


def _saved(picture: Any, kind: str, quality: int) -> bytes:
    stream = BytesIO()
    picture.save(stream, kind, quality=quality)
    return stream.getvalue()


CONTENDERS = MappingProxyType(
    {
        "this pipeline": pipeline,
        "this pipeline, guarded": sandboxed,
        "tutorial Pillow": tutorial,
        "pyvips, usual": vips_usual,
        "pyvips, best": vips_best,
        "the floor": floor,
    }
)
