"""Prepare a scenario, record what it does when nothing fails, and compare what it does when something fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from tests.faults.injector import Crash, Fault
from tests.faults.scenarios import PAGE_SIZE, Arrange, Retried, Scenario, all_data, pictures_of, said
from tests.faults.world import Saved, World
from tests.functions.conftest import Answer, an_event, run, use_one_partition

RETRIES = {Retried.CLIENT: 1, Retried.EVENT: 2, Retried.RECORD: 9, Retried.MESSAGE: 4}

DONE: dict[str, list[str]] = {"batchItemFailures": []}
"""The answer to a batch without failures."""


class Mode(StrEnum):
    """What happens after a failure."""

    RETRIED = "retried at once"
    NOT_RETRIED = "not retried; redriven from the dead-letter queue a day later"


@dataclass(frozen=True)
class Baseline:
    """A scenario that is about to begin, and its results when nothing fails."""

    scenario: Scenario
    world: World
    saved: Saved
    calls: tuple[str, ...]
    answer: Any
    shown: Any
    after: Any
    """All data right afterwards."""
    at_last: Any
    """The pictures a day later."""
    shown_without: Any
    """What the API shows without the scenario."""
    before: Any
    at_last_without: Any

    def begin(self) -> None:
        """Make the world what it was before the scenario."""
        self.world.restore(self.saved)
        self.world.while_rendering = _aside(self.world, self.scenario.elsewhere)

    def invoke(self) -> Any:
        """Return the function's answer; None where it died or asked for a retry."""
        try:
            answer = self.scenario.invoke(self.world)
        except Crash:
            return None
        return None if isinstance(answer, dict) and answer != DONE else answer


def _aside(world: World, elsewhere: Arrange | None) -> Any:
    def happen() -> None:
        with world.injector.standing_aside(), world.injector.kept_armed():
            assert elsewhere
            elsewhere(world)

    return happen if elsewhere else None


def settle(world: World, *, given_up: bool = False, loser: bytes | None = None, leaves: bool = False) -> Any:
    """Drain the queues, let a day pass, and return the pictures that are left.

    S3's lifecycle rules run only where Lambda has given up on an event, reconcile only where derivatives of a losing
    picture are left, or those of an interrupted crop, and nothing else.
    """
    world.drain()
    world.pass_time(hours=25)
    world.drain()
    if given_up:
        world.run_lifecycle()
    if loser and (orphans := world.orphans()):
        assert orphans <= world.derivatives(loser)
        reconcile(world)
    if leaves and world.orphans():
        reconcile(world)
    assert world.broken(quiet=True) == []
    return pictures_of(world)


def reconcile(world: World) -> None:
    """Run reconcile's daily pass; its second half waits for purges that are under way."""
    for hours in (25, 2):
        world.pass_time(hours=hours)
        run("reconcile", an_event("reconcile"))
        world.drain()


def shown(world: World, scenario: Scenario) -> Any:
    """Return what the API shows of the scenario's effect."""
    world.injector.disarm()
    return said(scenario.shows(world))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make listings short, and let reconcile mend what it finds."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGE_SIZE))
    monkeypatch.setenv("RECONCILE_MENDS", "true")
    use_one_partition(monkeypatch)


@pytest.fixture
def baseline(world: World, scenario: Scenario, environment: None) -> Baseline:
    """Prepare a scenario."""
    return record_baseline(world, scenario)


def record_baseline(world: World, scenario: Scenario) -> Baseline:
    """Run the scenario's world once without the scenario, and once without a failure."""
    scenario.arrange(world)
    saved = world.save()
    before, shown_without = all_data(world), shown(world, scenario)
    world.restore(saved)
    if scenario.retried is Retried.MESSAGE:
        scenario.invoke(world)  # no message is ever given up
    at_last_without = settle(world, given_up=scenario.retried is Retried.EVENT)
    world.restore(saved)
    world.while_rendering = _aside(world, scenario.elsewhere)
    with world.injector.counting() as recorded:
        answer = scenario.invoke(world)
        calls = tuple(call.partition(".")[2] for call in recorded)
    assert calls == (scenario.calls or calls)
    assert (answer.status if isinstance(answer, Answer) else None) == scenario.status
    after, seen = all_data(world), shown(world, scenario)
    if scenario.status and scenario.status >= 400:
        assert after == before
    return Baseline(
        scenario, world, saved, calls, said(answer), seen, after, settle(world), shown_without, before, at_last_without
    )


def numbers(calls: tuple[str, ...]) -> list[int]:
    """Return the numbers of the calls to fail: of several equal calls in a row only the first."""
    return [at for at, call in enumerate(calls) if at == 0 or calls[at - 1] != call]


def fail_each_call(baseline: Baseline) -> None:
    """Fail each call of a scenario in every way, with and without a retry."""
    for at, fault, mode in product(numbers(baseline.calls), Fault, Mode):
        with point(f"{fault} at call {at}, {baseline.calls[at]}; {mode}"):
            baseline.begin()
            baseline.world.injector.arm(at, fault)
            answer = baseline.invoke()
            assert baseline.world.injector.fired == 1
            check(baseline, [answer], mode)


@contextmanager
def point(description: object) -> Iterator[None]:
    """Add to a failed assertion at which point of a campaign it failed."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"at {description}")
        raise


def check(baseline: Baseline, answers: list[Any], mode: Mode) -> None:
    """Retry or not, and compare the result with the scenario without a failure."""
    world, scenario = baseline.world, baseline.scenario
    world.injector.disarm()
    if mode is Mode.RETRIED:
        answers += retry(baseline)
    given = [answer for answer in answers if answer is not None]
    assert all(said(answer) == baseline.answer for answer in given)
    if scenario.status and scenario.status >= 400:
        assert all_data(world) == baseline.before
    if scenario.idempotent and mode is Mode.RETRIED:
        assert len(all_data(world)[0]) == len(baseline.after[0])
    seen = shown(world, scenario)
    if given or (scenario.status is None and mode is Mode.RETRIED):
        assert seen == baseline.shown
    assert seen in (baseline.shown, baseline.shown_without) or (scenario.passes and scenario.passes in str(seen))
    if mode is Mode.NOT_RETRIED and (scenario.retried in {Retried.RECORD, Retried.MESSAGE} or scenario.elsewhere):
        world.pass_time(hours=25)
        retry(baseline)
    given_up = mode is Mode.NOT_RETRIED and scenario.retried is Retried.EVENT
    interrupted = world.injector.interrupted
    last = settle(
        world,
        given_up=given_up,
        loser=scenario.loser if interrupted else None,
        leaves=scenario.leaves and interrupted,
    )
    assert last in (
        (baseline.at_last,) if given or mode is Mode.RETRIED else (baseline.at_last, baseline.at_last_without)
    )


def retry(baseline: Baseline) -> list[Any]:
    """Retry as the caller does: a client once, whatever the answer; a platform until the work is done."""
    if baseline.scenario.retried is Retried.CLIENT:
        answer = baseline.invoke()
        assert answer is not None
        return [answer]
    for _ in range(RETRIES[baseline.scenario.retried]):
        answer = baseline.invoke()
        if answer is not None or baseline.scenario.retried is Retried.EVENT:
            return [answer]
    raise AssertionError("every attempt failed")
