"""How well derivatives are encoded: at the qualities of the policy, the master best of all."""

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from profile_media.domain.model import MASTER, ContentType, Slot
from profile_media.domain.policy import SIZES
from profile_media.imaging import render as pipeline
from tests import pictures


def encoded(mode: str = "RGB") -> dict[str, bytes]:
    made = pipeline.render(pictures.a_png(600, 600, mode), ContentType.PNG, Slot.AVATAR)
    return {picture.name: picture.content for picture in made.pictures}


@pytest.mark.parametrize("at", range(4))
def test_what_is_shown_has_the_policys_quality(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = encoded()
    sizes = list(SIZES[Slot.AVATAR])
    sizes[at] = replace(sizes[at], quality=20)
    monkeypatch.setattr(pipeline, "SIZES", {Slot.AVATAR: sizes})
    worse = encoded()
    changed = {name for name, content in worse.items() if content != as_it_is[name]}
    assert changed == {sizes[at].name}
    assert len(worse[sizes[at].name]) < len(as_it_is[sizes[at].name])


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "JPEG"), ("RGBA", "WEBP")])
def test_the_master_has_its_own_quality(mode: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = encoded(mode)
    monkeypatch.setattr(pipeline, "MASTER_QUALITY", 50)
    assert len(encoded(mode)[MASTER]) < len(as_it_is[MASTER])
    assert encoded(mode)["full"] == as_it_is["full"]
    assert Image.open(BytesIO(as_it_is[MASTER])).format == kind
