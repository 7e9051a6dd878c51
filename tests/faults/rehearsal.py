"""A scenario about to begin, and what comes of it when nothing fails: what comes of it otherwise is held to that."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from tests.faults.injector import Crash
from tests.faults.scenarios import PAGEFUL, Arrange, Retried, Scenario, everything, pictures_of, said
from tests.faults.world import Kept, World
from tests.functions.conftest import Answer

ATTEMPTS = {Retried.CLIENT: 1, Retried.EVENT: 2, Retried.RECORD: 9, Retried.MESSAGE: 4}
"""How often each is tried again."""

DONE: dict[str, list[str]] = {"batchItemFailures": []}
"""What a batch answers of which nothing is to come again."""


class Mode(StrEnum):
    """What happens after a failure."""

    AGAIN = "tried again at once"
    NOT_AGAIN = "not tried again; out of a queue of last resort, a day later"


@dataclass(frozen=True)
class Rehearsed:
    """A scenario about to begin, what comes of it when nothing fails, and what there is without it."""

    scenario: Scenario
    world: World
    kept: Kept
    calls: tuple[str, ...]
    answer: Any
    shown: Any
    at_once: Any
    """What there is right afterwards."""
    at_last: Any
    """What there is a day later."""
    shown_without: Any
    before: Any
    at_last_without: Any

    def begin(self) -> None:
        """Makes the world what it was before."""
        self.world.return_to(self.kept)
        self.world.while_rendering = _aside(self.world, self.scenario.elsewhere)

    def invoke(self) -> Any:
        """The function's answer; None where it died, or failed and somebody else is to try again."""
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


def quiet(world: World, *, given_up: bool = False) -> Any:
    """What there is a day later: nothing may be wrong then. S3's lifecycle is the net only under what was given up."""
    world.drain()
    world.pass_time(hours=25)
    world.drain()
    if given_up:
        world.run_lifecycle()
    assert world.wrongs(quiet=True) == []
    return pictures_of(world)


def shown(world: World, scenario: Scenario) -> Any:
    """What the API shows of it."""
    world.injector.disarm()
    return said(scenario.shows(world))


@pytest.fixture
def rehearsed(world: World, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> Rehearsed:
    """The scenario, once without it and once without a failure."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", str(PAGEFUL))
    scenario.arrange(world)
    kept = world.keep()
    before, shown_without = everything(world), shown(world, scenario)
    world.return_to(kept)
    if scenario.retried is Retried.MESSAGE:
        scenario.invoke(world)  # no message is ever given up
    at_last_without = quiet(world, given_up=scenario.retried is Retried.EVENT)
    world.return_to(kept)
    world.while_rendering = _aside(world, scenario.elsewhere)
    with world.injector.counting() as recorded:
        answer = scenario.invoke(world)
        calls = tuple(call.partition(".")[2] for call in recorded)
    assert calls == scenario.calls
    assert (answer.status if isinstance(answer, Answer) else None) == scenario.status
    after, seen = everything(world), shown(world, scenario)
    if scenario.status and scenario.status >= 400:
        assert after == before
    return Rehearsed(
        scenario, world, kept, calls, said(answer), seen, after, quiet(world), shown_without, before, at_last_without
    )


def numbers(calls: tuple[str, ...], *, at_length: bool) -> list[int]:
    """Which calls are hit: every one; unless at length, of several alike in a row the first."""
    return [at for at, call in enumerate(calls) if at_length or at == 0 or calls[at - 1] != call]


@contextmanager
def told(point: str) -> Iterator[None]:
    """Says at which point something was not as it should be."""
    try:
        yield
    except AssertionError as error:
        error.add_note(point)
        raise


def check(rehearsed: Rehearsed, answers: list[Any], mode: Mode) -> None:
    """Tries again, or not, and holds what comes of it to what comes of it without a failure."""
    world, scenario = rehearsed.world, rehearsed.scenario
    world.injector.disarm()
    if mode is Mode.AGAIN:
        answers += again(rehearsed)
    given = [answer for answer in answers if answer is not None]
    assert all(said(answer) == rehearsed.answer for answer in given)
    if scenario.status and scenario.status >= 400:
        assert everything(world) == rehearsed.before
    if scenario.once and mode is Mode.AGAIN:
        assert len(everything(world)[0]) == len(rehearsed.at_once[0])
    seen = shown(world, scenario)
    if given or (scenario.status is None and mode is Mode.AGAIN):
        assert seen == rehearsed.shown
    assert seen in (rehearsed.shown, rehearsed.shown_without)
    if mode is Mode.NOT_AGAIN and (scenario.retried in {Retried.RECORD, Retried.MESSAGE} or scenario.elsewhere):
        world.pass_time(hours=25)
        again(rehearsed)
    last = quiet(world, given_up=mode is Mode.NOT_AGAIN and scenario.retried is Retried.EVENT)
    assert last in (
        (rehearsed.at_last,) if given or mode is Mode.AGAIN else (rehearsed.at_last, rehearsed.at_last_without)
    )


def again(rehearsed: Rehearsed) -> list[Any]:
    """Tries again as the caller does: a client once, whatever it was told; a platform until it is done."""
    if rehearsed.scenario.retried is Retried.CLIENT:
        answer = rehearsed.invoke()
        assert answer is not None
        return [answer]
    for _ in range(ATTEMPTS[rehearsed.scenario.retried]):
        answer = rehearsed.invoke()
        if answer is not None or rehearsed.scenario.retried is Retried.EVENT:
            return [answer]
    raise AssertionError("every attempt failed")
