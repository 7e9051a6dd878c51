"""Fail every call of every function in every way, with and without a retry, then drain the queues and let time pass.

Each scenario asserts the calls it makes, so a new call is noticed, and made to fail, the day it is added.
"""

import random
from itertools import product
from pathlib import Path

from tests.faults.baseline import Baseline, Mode, baseline, check, environment, fail_each_call, numbers, point
from tests.faults.injector import Fault
from tests.faults.scenarios import SCENARIOS, Scenario, quick
from tests.faults.world import World
from tests.functions.conftest import an_event, run
from tests.functions.test_authorize import CONTEXT, Published, deployed, published
from tests.tokens import a_token

__all__ = ["baseline", "deployed", "environment", "published"]

WITHOUT_SCENARIO = {"authorize", "preflight", "reconcile"}
"""The first two call nothing, which is tested below; the third has a file of its own."""

type Point = tuple[int, Fault]


def test_every_function_has_a_scenario() -> None:
    folders = {path.parent.name for path in (Path(__file__).parents[2] / "functions").glob("*/app.py")}
    assert {scenario.function for scenario in SCENARIOS} == folders - WITHOUT_SCENARIO
    assert folders >= WITHOUT_SCENARIO
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


def test_authorizer_and_preflight_make_no_calls(world: World, published: Published) -> None:
    from functions.authorize.app import handler as authorize

    with world.injector.counting() as calls:
        run("preflight", an_event("preflight"))
        token = a_token(exp=4_000_000_000)
        assert authorize({**an_event("authorize"), "authorizationToken": f"Bearer {token}"}, CONTEXT)
    assert calls == []
    assert published.fetches == 1


@quick("an intent with a key", "a picture", "another avatar", "a pending upload given up", "a removed row", "a purge")
def test_function_survives_failure_of_each_call(baseline: Baseline) -> None:
    fail_each_call(baseline)


@quick("another avatar", among=[scenario for scenario in SCENARIOS if scenario.writes])
def test_function_survives_second_failure_during_retry(baseline: Baseline) -> None:
    points = list(product(numbers(baseline.calls), Fault))
    met = [pair for pair in pairs(points, baseline.scenario) if fails_twice(baseline, *pair)]
    missed = sorted(set(points) - {second for _, second in met})
    met += [pair for pair in product([(0, Fault.BEFORE)], missed) if fails_twice(baseline, *pair)]
    assert {second for _, second in met} == set(points)


def pairs(points: list[Point], scenario: Scenario) -> list[tuple[Point, Point]]:
    """Return pairs in which each point is once the first failure and once the second."""
    seconds = points.copy()
    random.Random(scenario.name).shuffle(seconds)
    return list(zip(points, seconds, strict=True))


def fails_twice(baseline: Baseline, first: Point, second: Point) -> bool:
    """Fail one call, and another one of the calls that follow. Return False where there are not so many."""
    baseline.begin()
    injector, (at, fault), (then_at, then_fault) = baseline.world.injector, first, second
    with point(f"{fault} at call {at}, then {then_fault} at call {then_at} of those that follow"):
        if fault is Fault.LOST:
            injector.arm(at, fault, (at + 1 + then_at, then_fault))
            answers = [baseline.invoke()]
            both = injector.fired == 2
        else:
            injector.arm(at, fault)
            answers = [baseline.invoke()]
            injector.arm(then_at, then_fault)
            answers.append(baseline.invoke())
            both = injector.fired == 1
        check(baseline, answers, Mode.RETRIED)
    return both
