"""Make the animated derivative of an animated picture. Runs in the sandbox's child, beside the still derivatives.

An animation that exceeds a limit, or whose later frames are broken, has still derivatives only.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from types import MappingProxyType
from typing import NamedTuple

from PIL import Image

from profile_media.domain.formats import FORMATS, ContentType
from profile_media.domain.framing import Dimensions
from profile_media.domain.model import ANIMATED
from profile_media.domain.policy import (
    ANIMATION_QUALITY,
    MAX_ANIMATION_BYTES,
    MAX_ANIMATION_FRAMES,
    MAX_ANIMATION_MS,
    MAX_ANIMATION_OUTPUT,
    MAX_ANIMATION_PIXELS,
    MAX_ANIMATION_SCREEN,
)
from profile_media.imaging.child_protocol import EncodedImage
from profile_media.imaging.decoding import open_frames

ANIMATED_TYPES = frozenset({ContentType.GIF, ContentType.WEBP})

CPU_SECONDS = 3.2
"""The CPU time of the child after which the animation must be encoded. The child may take 4."""

_SECONDS_PER_PIXEL = MappingProxyType({"RGB": 80e-9, "RGBA": 150e-9})
"""The CPU time of encoding a pixel of noise, with a margin. It says beforehand if the time suffices."""

_ENCODING = {"quality": ANIMATION_QUALITY, "method": 0, "kmin": 0, "kmax": 0}
"""The fastest method, without key frames, for which every frame would be encoded twice: four times as fast for 6 % more
bytes. Key frames serve jumps, and browsers play animations from the start."""

_INSTANT_MS = 10
_DEFAULT_MS = 100
"""Browsers show a frame that is to last 10 ms or less for 100."""


class Animation(NamedTuple):
    """The frames of an animated derivative, ready to be encoded."""

    frames: list[Image.Image]
    durations: list[int]
    """Milliseconds."""
    loop: int
    """How often it is played; 0 without end."""


def read_animation(
    content: bytes, content_type: ContentType, target: Dimensions, show: Callable[[Image.Image], Image.Image]
) -> Animation | None:
    """Return the frames of an animated picture, each as `show` crops and resizes it to the target.

    Return None if it is not animated, exceeds a limit, or cannot be decoded to its end.
    """
    with suppress(Exception), open_frames(content, content_type) as opened:
        screen = opened.width * opened.height
        most = min(
            MAX_ANIMATION_FRAMES, MAX_ANIMATION_PIXELS // screen, MAX_ANIMATION_OUTPUT // (target[0] * target[1])
        )
        if screen > MAX_ANIMATION_SCREEN:
            return None
        frames, durations = [], []
        for pixels, duration in _frames(opened):
            frames.append(show(pixels))
            durations.append(duration if duration > _INSTANT_MS else _DEFAULT_MS)
            if len(frames) > most or sum(durations) > MAX_ANIMATION_MS:
                return None
        if len(frames) > 1:
            return Animation(frames, durations, _loop(opened, content_type))
    return None


def encode_animation(animation: Animation, started: float) -> EncodedImage | None:
    """Encode an animation, given the CPU time at which the child started. Return None if it exceeds a limit."""
    first, *others = animation.frames
    width, height = first.size
    needed = sum(width * height * _SECONDS_PER_PIXEL[frame.mode] for frame in animation.frames)
    if time.process_time() - started + needed > CPU_SECONDS:
        return None
    file = BytesIO()
    with suppress(Exception):
        first.save(
            file,
            FORMATS[ContentType.WEBP].pillow_name,
            save_all=True,
            append_images=others,
            duration=animation.durations,
            loop=animation.loop,
            **_ENCODING,
        )
        # Equal frames become one, which may leave a still picture.
        if b"ANMF" in file.getvalue() and len(file.getvalue()) <= MAX_ANIMATION_BYTES:
            return EncodedImage(ANIMATED, ContentType.WEBP, width, height, file.getvalue())
    return None


def _frames(opened: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    """Yield each frame as the whole screen shows it, and its milliseconds."""
    with suppress(EOFError):
        for number in range(MAX_ANIMATION_FRAMES + 1):
            opened.seek(number)
            opened.load()
            yield opened, int(opened.info.get("duration", 0))


def _loop(opened: Image.Image, content_type: ContentType) -> int:
    """Return how often to play. A GIF states the repetitions, and none if it is to be played once."""
    stated = opened.info.get("loop")
    if content_type is not ContentType.GIF:
        return int(stated or 0)
    return 1 if stated is None else int(stated) + 1 if stated else 0
