"""Fixtures of the functions' tests, and a world that fails."""

from tests.faults.injector import injector
from tests.faults.scheduler import scheduler
from tests.faults.world import picture, world
from tests.functions.conftest import call, rows

__all__ = ["call", "injector", "picture", "rows", "scheduler", "world"]
