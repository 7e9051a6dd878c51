"""A world for simulation: small limits, a clock that stands still, and nothing left to chance."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from profile_media.imaging import PillowImages
from profile_media.wiring import intents, pictures, processing, updating
from tests import cloud
from tests.faults.injector import Injector, injector
from tests.faults.scheduler import Inline
from tests.faults.world import render_once
from tests.functions.conftest import Call, Rows, call, rows, use_one_partition
from tests.model import reference
from tests.model.simulation import Simulation, Still, UploadIds

__all__ = ["call", "injector", "rows"]

LIMITS = {
    "OPEN_INTENTS": reference.OPEN_INTENTS,
    "INTENTS_PER_HOUR": reference.INTENTS_PER_HOUR,
    "WRITES_PER_MINUTE": reference.CHANGES_PER_MINUTE,
}


@pytest.fixture
def _small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set small limits; everything that was composed with other limits is composed again."""
    for name, limit in LIMITS.items():
        monkeypatch.setenv(name, str(limit))
    monkeypatch.setenv("RECONCILE_MENDS", "true")
    _forget_composed()
    yield
    _forget_composed()


def _forget_composed() -> None:
    for module in (intents, pictures, processing, updating):
        for composed in vars(module).values():
            if hasattr(composed, "cache_clear") and composed.__module__ == module.__name__:
                composed.cache_clear()


@pytest.fixture
def simulation(
    aws: cloud.Cloud, rows: Rows, call: Call, injector: Injector, monkeypatch: pytest.MonkeyPatch, _small_limits: None
) -> Iterator[Simulation]:
    """Return the simulation of all users, before their beginning."""
    world, ids = Still(aws, rows, call, injector), UploadIds()
    monkeypatch.setattr("profile_media.aws.clock.utc_now", world.now)
    monkeypatch.setattr("profile_media.domain.intend.uuid", SimpleNamespace(uuid4=ids.uuid4))
    monkeypatch.setattr("profile_media.aws.objects.ThreadPoolExecutor", Inline)  # puts in one order
    monkeypatch.setattr(PillowImages, "render", render_once)
    monkeypatch.setattr("profile_media.domain.keys.urandom", world.salt)
    use_one_partition(monkeypatch)
    logging.disable(logging.INFO)
    yield Simulation(world, ids)
    logging.disable(logging.NOTSET)
