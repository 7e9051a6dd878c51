"""Where this pipeline's time goes: what is Pillow's decoding, resampling and encoding, and what is the rest."""

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from statistics import median
from typing import Any
from unittest import mock

from PIL import Image

from profile_media.domain.model import ContentType
from profile_media.imaging import decoding, render
from tools.bench.derivatives.ask import Task

PARTS = ("decode", "resample", "colours", "turn", "encode", "rest")
STEPS = {"decode": "decode", "crop_and_resize": "resample", "shrink_to_master": "resample", "to_srgb": "colours"}
"""The part that each function of the pipeline counts towards."""


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
        ExitStack() as patches,
        warnings.catch_warnings(action="ignore"),  # Pillow's, of pictures at half of the cap
        mock.patch.object(decoding.Decoded, "turn_upright", _timed(decoding.Decoded.turn_upright, spent, "turn")),
        mock.patch.object(Image.Image, "save", _timed(Image.Image.save, spent, "encode")),
    ):
        for name, part in STEPS.items():
            patches.enter_context(mock.patch.object(render, name, _timed(getattr(render, name), spent, part)))
        began = time.process_time()
        render.render(content, content_type, task.job.slot, keep_master=task.job.master)
        spent["rest"] = (time.process_time() - began) * 1000 - sum(spent.values())
    return {part: spent[part] for part in PARTS}


def _timed(work: Callable[..., Any], spent: defaultdict[str, float], part: str) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return work(*given, **named)
        finally:
            spent[part] += (time.process_time() - began) * 1000

    return timed
