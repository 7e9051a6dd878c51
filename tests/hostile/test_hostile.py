"""Every generated file has the expected result within the limits, and its derivatives contain nothing else of it.

The unmarked tests take a representative subset: one file for each table and expected result.
"""

import random
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import pytest
from PIL import AvifImagePlugin, Image

from profile_media.domain.errors import ImageUnacceptable
from profile_media.domain.formats import ContentType
from profile_media.domain.model import Reason, Slot
from profile_media.domain.policy import Size
from profile_media.imaging import child_protocol, render, render_to_message
from profile_media.imaging.probe import probe
from tests import pictures
from tests.hostile.foreign import GOOD
from tests.hostile.harness import Verdict, Workers
from tests.hostile.samples import SAMPLES, examine_sample

CHANGED_FILES = 200


def _representatives() -> tuple[str, ...]:
    """Return the first file of each table and expected result, and the files with a CPU limit of their own."""
    first: dict[tuple[str, Reason | None, int], str] = {}
    for name, sample in SAMPLES.items():
        first.setdefault((name.partition("/")[0], sample.expected, sample.cpu_ms), name)
    return tuple(first.values())


REPRESENTATIVES = _representatives()
OTHERS = tuple(name for name in SAMPLES if name not in REPRESENTATIVES)


def _examine(names: tuple[str, ...]) -> Mapping[str, Verdict]:
    return {verdict.name: verdict for verdict in Workers(examine_sample).examine(names)}


@pytest.fixture(scope="module")
def verdicts_on_representatives() -> Mapping[str, Verdict]:
    return _examine(REPRESENTATIVES)


@pytest.fixture(scope="module")
def verdicts_on_others() -> Mapping[str, Verdict]:
    return _examine(OTHERS)


@pytest.mark.parametrize("name", REPRESENTATIVES)
def test_representative_file_has_expected_result(name: str, verdicts_on_representatives: Mapping[str, Verdict]) -> None:
    _check(verdicts_on_representatives[name])


@pytest.mark.assurance
@pytest.mark.parametrize("name", OTHERS)
def test_generated_file_has_expected_result(name: str, verdicts_on_others: Mapping[str, Verdict]) -> None:
    _check(verdicts_on_others[name])


def _check(verdict: Verdict) -> None:
    assert not verdict.faults


@pytest.fixture
def _one_small_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make one small derivative instead of four, so that most time goes into decoding. Restore Pillow's settings."""
    sizes = MappingProxyType({Slot.AVATAR: (Size("icon", 16, 16, default=True),)})
    monkeypatch.setattr(render, "SIZES", sizes)
    monkeypatch.setattr(child_protocol, "SIZES", sizes)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
    monkeypatch.setattr(AvifImagePlugin, "DEFAULT_MAX_THREADS", AvifImagePlugin.DEFAULT_MAX_THREADS)


@pytest.mark.assurance
@pytest.mark.usefixtures("_one_small_derivative")
@pytest.mark.filterwarnings("ignore")  # Pillow warns about broken files; the child ignores warnings.
@pytest.mark.parametrize("content_type", pictures.TYPES)
def test_file_with_changed_bytes_is_rendered_or_rejected(content_type: ContentType) -> None:
    good, rng = GOOD[content_type], random.Random(7)
    rendered = 0
    for _ in range(CHANGED_FILES):
        changed = bytearray(good)
        for _ in range(rng.choice((1, 1, 2, 8))):
            changed[rng.randrange(len(good))] ^= rng.randrange(1, 256)
        rendered += _is_rendered(bytes(changed))
    assert 0 < rendered < CHANGED_FILES


def _is_rendered(content: bytes) -> bool:
    """Tell whether the file was rendered. Raises everything except a rejection."""
    # In this process, which takes a fifth of the time: the child's message, read as the parent reads it.
    try:
        content_type = probe(content)
        message = render_to_message(partial(render.render, content, content_type, Slot.AVATAR))
        child_protocol.unpack(message, Slot.AVATAR)
    except ImageUnacceptable as rejection:
        assert "malformed message" not in rejection.detail  # noqa: PT017
        return False
    return True
