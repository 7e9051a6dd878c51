"""What each quality and each effort of the WebP encoder costs and gives, size by size: where the policy's come from."""

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest import mock

from PIL import Image

from profile_media.domain.model import ContentType, Slot
from profile_media.domain.policy import SIZES, Size
from profile_media.imaging import render
from tools.bench.derivatives.quality import Reference

QUALITIES = (70, 75, 79, 80, 81, 82, 85, 90)
EFFORTS = (0, 2, 4, 6)
REPETITIONS = 3


def table(file: Path, slot: Slot) -> str:
    """A row for each size and quality; for each effort the bytes, the SSIM and the CPU."""
    rows = [
        "| Size | Quality | " + " | ".join(f"effort {effort}" for effort in EFFORTS) + " |",
        "|---|---:|" + "---:|" * len(EFFORTS),
    ]
    for size, picture in sampled(file, slot):
        for quality in QUALITIES:
            cells = (_cell(file, size, picture, quality, effort) for effort in EFFORTS)
            chosen = " (chosen, with effort 4)" if quality == size.quality else ""
            rows.append(f"| {size.width} x {size.height} | {quality}{chosen} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def sampled(file: Path, slot: Slot) -> Iterator[tuple[Size, Image.Image]]:
    """What the pipeline hands its encoder: lossless, because what the encoder loses is the question."""
    taken: list[Image.Image] = []
    save = Image.Image.save

    def take(picture: Image.Image, *given: Any, **options: Any) -> None:
        taken.append(picture.copy())
        save(picture, *given, **options)

    with mock.patch.object(Image.Image, "save", take):
        render.render(file.read_bytes(), ContentType.JPEG, slot)
    yield from zip(SIZES[slot], taken, strict=False)  # the master comes last, and has settings of its own


def _cell(file: Path, size: Size, picture: Image.Image, quality: int, effort: int) -> str:
    least, content = float("inf"), b""
    for _ in range(REPETITIONS):
        began = time.process_time()
        stream = BytesIO()
        picture.save(stream, "WEBP", quality=quality, method=effort)
        least = min(least, time.process_time() - began)
        content = stream.getvalue()
    similar = Reference(file).ssim(content, (size.width, size.height))
    return f"{len(content):,} B, {similar:.4f}, {least * 1000:.1f} ms"
