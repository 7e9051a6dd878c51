"""CPU of making an avatar's derivatives here, ours and the usual way's, taking turns."""

import base64
import importlib
import json
import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from profile_media.domain.model import ContentType, Slot
from tests import cloud


@dataclass(frozen=True)
class Rendering:
    """Milliseconds, medians; `spread` is of the ratio of neighbours."""

    ours_ms: float
    usual_ms: float
    spread: str


def rendering(picture: bytes, turns: int) -> Rendering:
    """Each way so many times."""
    from profile_media.imaging import PillowImages  # noqa: PLC0415 - decoders only where they are measured

    os.environ.update(cloud.ENVIRONMENT)
    app = importlib.import_module("tools.bench.usual.app")
    event = {"body": json.dumps({"user_avatar": base64.b64encode(picture).decode()})}

    def usual() -> None:
        received = app.picture_in(event)
        for size in app.SIZES.values():
            app.thumbnail(received, size)

    def ours() -> None:
        PillowImages().render(picture, ContentType.JPEG, Slot.AVATAR)

    pairs = [(_cpu_ms(ours), _cpu_ms(usual)) for _ in range(turns + 1)][1:]
    low, _, high = statistics.quantiles([one / other for one, other in pairs], n=4)
    return Rendering(
        statistics.median(one for one, _ in pairs),
        statistics.median(other for _, other in pairs),
        f"{low:.2f}-{high:.2f}",
    )


def _cpu_ms(work: Callable[[], None]) -> float:
    """Of this process and its children."""
    began = _used()
    work()
    return (_used() - began) * 1000


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
