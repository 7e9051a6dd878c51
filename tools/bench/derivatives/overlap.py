"""How much of the time an upload takes is spent waiting for one thing after another.

The network is imitated: a download at a stated rate, and an S3 that takes a stated time for each object. The rest is
the service's own: the child that decodes, and the adapter that stores.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

from profile_media.aws import objects
from profile_media.domain.model import ContentType, Slot
from profile_media.domain.ports import Rendered
from profile_media.imaging import PillowImages

BYTES_A_SECOND = 60e6
STORE_SECONDS = 0.020
UPLOAD_ID = "0198f3c2-7a51-4cc3-98c4-dc0c0c07398f"


@dataclass(frozen=True)
class Overlap:
    """Wall of the whole step in ms, as the service does it and one thing after the other."""

    together: float
    apart: float

    @property
    def ratio(self) -> float:
        return self.together / self.apart


class _Slow:
    """An S3 of which only the time it takes is real."""

    def put_object(self, **_: Any) -> None:
        time.sleep(STORE_SECONDS)


def measured(file: Path, rounds: int) -> Overlap:
    """Both ways in turns."""
    content, images, slow = file.read_bytes(), PillowImages(), _Slow()

    def rendered() -> Rendered:
        time.sleep(len(content) / BYTES_A_SECOND)
        return images.render(content, ContentType.JPEG, Slot.AVATAR)

    def together() -> None:
        objects.S3Media("media").store(UPLOAD_ID, rendered().derivatives)

    def apart() -> None:
        for _ in rendered().derivatives:
            slow.put_object()

    walls: tuple[list[float], list[float]] = ([], [])
    with mock.patch.object(objects, "s3", return_value=slow):
        for _ in range(rounds + 1):
            for way, wall in zip((together, apart), walls, strict=True):
                wall.append(_timed(way))
    return Overlap(*(median(wall[1:]) for wall in walls))


def _timed(way: Callable[[], None]) -> float:
    began = time.perf_counter()
    way()
    return (time.perf_counter() - began) * 1000
