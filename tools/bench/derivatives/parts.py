"""Where this pipeline's time goes: what is Pillow's decoding, resampling and encoding, and what is the rest."""

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any
from unittest import mock

from PIL import Image

from profile_media.domain.model import ContentType
from profile_media.imaging import render
from tools.bench.derivatives.ask import Task

PARTS = ("decode", "resample", "colours", "turn", "encode", "rest")


def table(tasks: Iterable[Task], rounds: int) -> str:
    """A row for each picture and job, in ms of CPU."""
    rows = ["| Job | Source | " + " | ".join(PARTS) + " |", "|---|---|" + "---:|" * len(PARTS)]
    for task in tasks:
        parts = measured(task, rounds)
        rows.append(f"| {task.job.name} | {task.source} | " + " | ".join(f"{parts[part]:.0f}" for part in PARTS) + " |")
    return "\n".join(rows)


def measured(task: Task, rounds: int) -> dict[str, float]:
    """Milliseconds of each part, medians; the first round is for warming up."""
    content, content_type = task.path.read_bytes(), ContentType(task.content_type)
    taken = [_once(content, content_type, task) for _ in range(rounds + 1)][1:]
    return {part: median(each[part] for each in taken) for part in PARTS}


def _once(content: bytes, content_type: ContentType, task: Task) -> dict[str, float]:
    spent: defaultdict[str, float] = defaultdict(float)
    with (
        warnings.catch_warnings(action="ignore"),  # Pillow's, of pictures at half of the cap
        mock.patch.object(render, "_open", _loading(spent)),
        mock.patch.object(render, "_resampled", _timed(render._resampled, spent, "resample")),
        mock.patch.object(render, "_srgb", _timed(render._srgb, spent, "colours")),
        mock.patch.object(render, "_upright", _timed(render._upright, spent, "turn")),
        mock.patch.object(render, "_encoded", _timed(render._encoded, spent, "encode")),
    ):
        began = time.process_time()
        render.render(content, content_type, task.job.slot, keep_master=task.job.master)
        spent["rest"] = (time.process_time() - began) * 1000 - sum(spent.values())
    return {part: spent[part] for part in PARTS}


def _loading(spent: defaultdict[str, float]) -> Callable[..., Image.Image]:
    """Opens pictures whose loading is counted."""
    opening = render._open

    def opened(content: bytes, content_type: ContentType) -> Image.Image:
        picture: Image.Image = _timed(opening, spent, "decode")(content, content_type)
        picture.load = _timed(picture.load, spent, "decode")  # type: ignore[method-assign]
        return picture

    return opened


def _timed(work: Callable[..., Any], spent: defaultdict[str, float], part: str) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return work(*given, **named)
        finally:
            spent[part] += (time.process_time() - began) * 1000

    return timed
