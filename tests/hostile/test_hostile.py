"""Every sample becomes what it must, and nothing of it is left in what is made of it."""

import random
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from PIL import AvifImagePlugin, Image

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.model import ContentType, Slot
from profile_media.domain.policy import Size
from profile_media.imaging import answer, attempt, render
from profile_media.imaging.probe import probe, sniff
from tests.assurance import Note
from tests.hostile.foreign import GOOD
from tests.hostile.harness import Verdict, Workers
from tests.hostile.samples import SAMPLES, examine_sample

pytestmark = pytest.mark.campaign("F-8")

FLIPS = 200


@pytest.fixture(scope="module")
def verdicts() -> Mapping[str, Verdict]:
    return {verdict.name: verdict for verdict in Workers(examine_sample).examine(SAMPLES)}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_becomes_what_it_must_within_its_limits_and_leaves_nothing(
    name: str, verdicts: Mapping[str, Verdict], note: Note
) -> None:
    verdict = verdicts[name]
    note.add("files")
    note.add(verdict.outcome)
    note.most("CPU ms", verdict.cpu_ms)
    note.most("MiB", verdict.peak_mib)
    assert not verdict.faults


@pytest.fixture
def _little_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small derivative instead of four, so that the time goes into decoding, and Pillow left as it was."""
    sizes = MappingProxyType({Slot.AVATAR: (Size("icon", 16, 16),)})
    monkeypatch.setattr(render, "SIZES", sizes)
    monkeypatch.setattr(answer, "SIZES", sizes)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    monkeypatch.setattr(AvifImagePlugin, "DEFAULT_MAX_THREADS", AvifImagePlugin.DEFAULT_MAX_THREADS)


@pytest.mark.usefixtures("_little_to_make")
@pytest.mark.filterwarnings("ignore")  # Pillow's, which the child is deaf to
@pytest.mark.parametrize("content_type", ContentType)
def test_flipped_bytes_give_a_picture_or_a_refusal(content_type: ContentType, note: Note) -> None:
    good, chance = GOOD[content_type], random.Random(7)
    made = 0
    for _ in range(FLIPS):
        flipped = bytearray(good)
        for _ in range(chance.choice((1, 1, 2, 8))):
            flipped[chance.randrange(len(good))] ^= chance.randrange(1, 256)
        made += _is_made(bytes(flipped))
    assert 0 < made < FLIPS
    note.add("files", FLIPS)
    note.add("ready", made)
    note.add("rejected", FLIPS - made)


def _is_made(content: bytes) -> bool:
    """Whether it became a picture; raises anything but a refusal."""
    # In this process, where it costs a fifth: what the child would answer, read as the parent does.
    try:
        content_type = sniff(content) or ContentType.JPEG
        probe(content, content_type)
        answer.read(attempt(render.render, content, content_type, Slot.AVATAR), Slot.AVATAR)
    except ImageUnacceptable as refused:
        assert "malformed" not in refused.detail  # noqa: PT017
        return False
    return True
