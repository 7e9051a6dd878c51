"""Measure how many heads a default crop keeps whole, on a folder's COCO keypoint annotations of people.

    python -m tools.bench.heads person_keypoints_val2017.json

Only pictures with one annotated person, visible eyes and nose, and a person of at least 15 % of the picture count. A
head's top and chin are estimated from the distance of eyes and nose. Decision 0048 has the results.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from profile_media.domain.framing import Dimensions, Focus, Framing, frame

FRAMINGS: dict[str, Framing] = {
    "default": None,
    **{f"focus {y:.2f}": Focus(0.5, y) for y in (0.1, 0.15, 0.18, 0.2, 0.25, 0.3, 1 / 3, 0.4, 0.5)},
}
TARGETS: dict[str, Dimensions] = {"avatar": (512, 512), "cover": (1500, 500)}

MIN_SHARE = 0.15
"""The share of the picture that a person has to cover to be its subject."""


class Head(NamedTuple):
    """The vertical extent of a head in a picture."""

    size: Dimensions
    top: float
    chin: float


def heads(annotations: dict[str, Any]) -> Iterator[Head]:
    """Yield the head of every picture that shows one person."""
    images = {image["id"]: image for image in annotations["images"]}
    people = Counter(person["image_id"] for person in annotations["annotations"])
    for person in annotations["annotations"]:
        image, points = images[person["image_id"]], person["keypoints"]
        nose, *eyes = ((points[at + 1], points[at + 2]) for at in (0, 3, 6))
        seen = [y for y, visible in eyes if visible]
        width, height = image["width"], image["height"]
        _, person_top, *sides = person["bbox"]
        if people[image["id"]] > 1 or not (nose[1] and seen) or sides[0] * sides[1] < MIN_SHARE * width * height:
            continue
        eye = sum(seen) / len(seen)
        half = 2.6 * (nose[0] - eye)  # Eyes are at half of a head's height, the tip of the nose 0.38 of a half below.
        if half > height / 40:
            yield Head((width, height), max(eye - half, person_top, 0), min(eye + half, height))


def is_kept(head: Head, target: Dimensions, framing: Framing) -> bool:
    """Return whether the whole head is in the crop."""
    _, top, _, bottom = frame(head.size, target, framing)
    return top - 0.5 <= head.top and head.chin <= bottom + 0.5


def main() -> None:
    """Print the share of heads kept whole, among those that are not higher than the crop."""
    found = [head for name in sys.argv[1:] for head in heads(json.loads(Path(name).read_text()))]
    for shape in ("portrait", "landscape"):
        chosen = [head for head in found if (head.size[1] > head.size[0]) == (shape == "portrait")]
        for slot, target in TARGETS.items():
            fitting = [head for head in chosen if head.chin - head.top <= head.size[0] * target[1] / target[0]]
            kept = {name: sum(is_kept(head, target, each) for head in fitting) for name, each in FRAMINGS.items()}
            shares = "  ".join(f"{name}: {100 * count / max(1, len(fitting)):.0f} %" for name, count in kept.items())
            sys.stdout.write(f"{shape} {slot}, {len(fitting)} of {len(chosen)} heads: {shares}\n")


if __name__ == "__main__":
    main()
