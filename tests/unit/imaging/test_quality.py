"""How well derivatives are encoded: at the qualities of the policy, the master best of all."""

from io import BytesIO

import pytest
from PIL import Image

from profile_media.domain.model import MASTER, ContentType, Slot
from profile_media.imaging import render as pipeline
from tests import pictures


def encoded(mode: str = "RGB") -> dict[str, bytes]:
    made = pipeline.render(pictures.a_png(600, 600, mode), ContentType.PNG, Slot.AVATAR)
    return {picture.name: picture.content for picture in made.pictures}


@pytest.mark.parametrize("name", ["full", "thumb", "small", "icon"])
def test_what_is_shown_has_the_policys_quality(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = encoded()[name]
    monkeypatch.setattr(pipeline, "WEBP_QUALITY", 20)
    assert len(encoded()[name]) < len(as_it_is)


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "JPEG"), ("RGBA", "WEBP")])
def test_the_master_has_its_own_quality(mode: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_it_is = encoded(mode)
    monkeypatch.setattr(pipeline, "MASTER_QUALITY", 50)
    assert len(encoded(mode)[MASTER]) < len(as_it_is[MASTER])
    assert encoded(mode)["full"] == as_it_is["full"]
    assert Image.open(BytesIO(as_it_is[MASTER])).format == kind
