"""Every call of every function, hit in every way: tried again or not, drained, and left to time.

What each scenario calls is asserted, so that a new call is seen, and hit, the day it is added.
"""

import random
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.assurance import Note
from tests.faults.injector import Fault
from tests.faults.rehearsal import Mode, Rehearsed, check, numbers, rehearsed, told
from tests.faults.scenarios import SCENARIOS
from tests.faults.world import World
from tests.functions.conftest import an_event, run
from tests.functions.test_authorize import CONTEXT, Published, deployed, published
from tests.tokens import a_token

__all__ = ["deployed", "published", "rehearsed"]

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
WRITING = [scenario for scenario in SCENARIOS if scenario.writes]
ALIKE = {
    "a picture whose row goes meanwhile",
    "a picture whose time is up meanwhile",
    "a picture that is settled meanwhile",
    "a first picture in a form",
    "somebody's picture in a form",
    "removed rows, many at once",
    "a purge, page after page",
}
"""Scenarios that make the calls of others, in the same order, but for one or two; they fail twice only at length."""
ELSEWHERE = {"authorize", "preflight", "reconcile"}
"""Functions of no scenario: the first two call nothing, which is tested below; the last has a file of its own."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.function is test_any_call_of_the_second_attempt_may_fail_as_well:
        alike = set() if metafunc.config.getoption("--long") else ALIKE
        scenarios = [scenario for scenario in WRITING if scenario.name not in alike]
        metafunc.parametrize("scenario", scenarios, ids=lambda scenario: scenario.name)


# --- the table


def test_every_function_has_its_scenarios() -> None:
    folders = {path.parent.name for path in (Path(__file__).parents[2] / "functions").glob("*/app.py")}
    assert {scenario.function for scenario in SCENARIOS} == folders - ELSEWHERE
    assert folders >= ELSEWHERE
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


def test_the_authorizer_and_preflights_call_nothing(world: World, published: Published) -> None:
    from functions.authorize.app import handler as authorize

    with world.injector.counting() as calls:
        run("preflight", an_event("preflight"))
        token = a_token(exp=4_000_000_000)
        assert authorize({**an_event("authorize"), "authorizationToken": f"Bearer {token}"}, CONTEXT)
    assert calls == []
    assert published.fetches == 1


# --- one failure


@pytest.mark.campaign("F-1")
@each_scenario
def test_any_call_may_fail(rehearsed: Rehearsed, note: Note, at_length: bool) -> None:
    hit = numbers(rehearsed.calls, at_length=at_length)
    points = list(product(hit, Fault, Mode))
    for at, fault, mode in points:
        rehearsed.begin()
        rehearsed.world.injector.arm(at, fault)
        with told(f"{fault} at call {at}, {rehearsed.calls[at]}; {mode}"):
            answer = rehearsed.invoke()
            assert rehearsed.world.injector.fired == 1
            check(rehearsed, [answer], mode)
    assert len(points) == len(hit) * len(Fault) * len(Mode)
    assert {rehearsed.calls[at] for at in hit} == set(rehearsed.scenario.calls)
    note.add("points", len(points))
    note.add("calls hit", len(hit))
    note.add("scenarios")


# --- two failures


@pytest.mark.campaign("F-2")
def test_any_call_of_the_second_attempt_may_fail_as_well(rehearsed: Rehearsed, note: Note, at_length: bool) -> None:
    hit = numbers(rehearsed.calls, at_length=at_length)
    points = list(product(hit, Fault))
    sample = pairs(points, rehearsed.scenario.name, at_length=at_length)
    met = [pair for pair in sample if fails_twice(rehearsed, *pair)]
    missed = sorted(set(points) - {second for _, second in met})
    met += [pair for pair in product([(0, Fault.BEFORE)], missed) if fails_twice(rehearsed, *pair)]
    assert {second for _, second in met} == set(points)
    note.add("pairs of failures", len(met))
    note.add("scenarios")


type Point = tuple[int, Fault]


def pairs(points: list[Point], seed: str, *, at_length: bool) -> Iterator[tuple[Point, Point]]:
    """Every one with every other; unless at length, each once as the first and once as the second."""
    if at_length:
        yield from product(points, points)
        return
    seconds = points.copy()
    random.Random(seed).shuffle(seconds)
    yield from zip(points, seconds, strict=True)


def fails_twice(rehearsed: Rehearsed, first: Point, second: Point) -> bool:
    """Lets a call fail, and another of what follows it; False where so many did not follow."""
    rehearsed.begin()
    injector, (at, fault), (then_at, then_fault) = rehearsed.world.injector, first, second
    with told(f"{fault} at call {at}, then {then_fault} at call {then_at} of what followed"):
        if fault is Fault.LOST:
            injector.arm(at, fault, (at + 1 + then_at, then_fault))
            answers = [rehearsed.invoke()]
            both = injector.fired == 2
        else:
            injector.arm(at, fault)
            answers = [rehearsed.invoke()]
            injector.arm(then_at, then_fault)
            answers.append(rehearsed.invoke())
            both = injector.fired == 1
        check(rehearsed, answers, Mode.AGAIN)
    return both
