"""A world for lives: limits that short lives meet, a clock that stands, and nothing left to chance."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from moto.core.serialize import ResponseSerializer
from moto.s3.models import FakeKey

from profile_media.imaging import PillowImages
from profile_media.wiring import ingesting, intents
from tests import cloud
from tests.faults.injector import Injector, injector
from tests.faults.world import _rendered_once, _retire, _serialize_at_once
from tests.functions.conftest import Call, Rows, call, rows
from tests.model import reference
from tests.model.lives import Lives, Still, UploadIdRange

__all__ = ["call", "injector", "rows"]

LIMITS = {
    "OPEN_INTENTS": reference.OPEN_INTENTS,
    "INTENTS_PER_HOUR": reference.INTENTS_PER_HOUR,
    "WRITES_PER_MINUTE": reference.CHANGES_PER_MINUTE,
}


@pytest.fixture
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, limit in LIMITS.items():
        monkeypatch.setenv(name, str(limit))
    for composed in (intents._intents, ingesting._ingest):  # which know their limits for good
        composed.cache_clear()
    monkeypatch.setenv("RECONCILE_MENDS", "true")
    yield
    for composed in (intents._intents, ingesting._ingest):
        composed.cache_clear()


@pytest.fixture
def lives(
    aws: cloud.Cloud, rows: Rows, call: Call, injector: Injector, monkeypatch: pytest.MonkeyPatch, _small_limits: None
) -> Iterator[Lives]:
    """Everybody's, to begin."""
    world, ids = Still(aws, rows, call, injector), UploadIdRange()
    monkeypatch.setattr("profile_media.aws.clock.utc_now", world.now)
    monkeypatch.setattr("profile_media.domain.intend.uuid", SimpleNamespace(uuid4=ids.uuid4))
    monkeypatch.setattr("profile_media.aws.objects.STORES", 1)  # in one order
    monkeypatch.setattr(PillowImages, "render", _rendered_once)
    monkeypatch.setattr(FakeKey, "dispose", _retire)
    monkeypatch.setattr(ResponseSerializer, "_serialize_type_structure", _serialize_at_once)
    logging.disable(logging.INFO)
    yield Lives(world, ids)
    logging.disable(logging.NOTSET)
